import type { ErrorAnswer, TrackingPlan } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** How long an answer may take, in milliseconds: a large plan is compiled before it comes. */
const TIMEOUT_MS = 60_000

/** A plan as the collector answers it. */
export type StoredPlan = TrackingPlan & { revision: number }

/** Requests of the command to a collector, for one site. */
export interface AdminClient {
  read(): Promise<StoredPlan>
  /** Replaces the plan if it is still at `revision`. */
  replace(plan: Partial<TrackingPlan> & { revision: number; force: boolean }): Promise<StoredPlan>
  settings(settings: Partial<TrackingPlan>): Promise<StoredPlan>
}

/** @throws CommandError from every call that doesn't succeed, with what the collector says */
export function createAdminClient(collector: string, siteId: string, adminToken: string): AdminClient {
  const base = `${collector.replace(/\/+$/, '')}/v1/admin/sites/${encodeURIComponent(siteId)}/plan`

  async function call(method: string, path = '', body?: object): Promise<StoredPlan> {
    const response = await fetch(base + path, {
      method,
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(error => {
      throw new CommandError(
        `no answer from ${collector} (${error.cause?.message ?? error.message}): does it run? See --collector`,
      )
    })
    const text = await response.text()
    if (response.ok) return JSON.parse(text) as StoredPlan
    throw new CommandError(refusal(response.status, text))
  }

  return {
    read: () => call('GET'),
    replace: plan => call('PUT', '', plan),
    settings: settings => call('PUT', '/mode', settings),
  }
}

function refusal(status: number, text: string): string {
  try {
    const { message, details = [] } = (JSON.parse(text) as { error: ErrorAnswer['error'] & { details?: string[] } })
      .error
    return [message, ...details.slice(1)].join('\n')
  } catch {
    return `the collector answered ${status}: ${text.slice(0, 200)}`
  }
}
