import type { TrackingPlan } from '@slotstream/protocol'
import { createAdminCall } from '../admin-call.js'

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
  const adminCall = createAdminCall(collector, siteId, adminToken)
  const call = async (method: string, path = '', body?: object) =>
    (await adminCall(method, `/plan${path}`, body)) as StoredPlan
  return {
    read: () => call('GET'),
    replace: plan => call('PUT', '', plan),
    settings: settings => call('PUT', '/mode', settings),
  }
}
