import type { ErrorAnswer } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** How long an answer may take, in milliseconds: a large plan is compiled before it comes. */
const TIMEOUT_MS = 60_000

/** Requests a path below a site's admin routes; resolves to the answer. */
export type AdminCall = (method: string, path: string, body?: object) => Promise<unknown>

/** @throws CommandError from every call that doesn't succeed, with what the collector says */
export function createAdminCall(collector: string, siteId: string, adminToken: string): AdminCall {
  const base = `${collector.replace(/\/+$/, '')}/v1/admin/sites/${encodeURIComponent(siteId)}`
  return async (method, path, body) => {
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
    if (response.ok) return JSON.parse(text)
    throw new CommandError(refusal(response.status, text))
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
