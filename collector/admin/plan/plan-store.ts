import type { KV } from '@nats-io/kv'
import { NO_PLAN, type TrackingPlan } from '@slotstream/protocol'
import { readValue, replaceValue } from '@slotstream/runtime'
import { parsePlan } from '@slotstream/tracking-plan'

/** A plan with its number: it grows with each change of the site's plan, and is 0 where there never was one. */
export interface NumberedPlan {
  plan: TrackingPlan
  revision: number
}

/** Tracking plans in the bucket `plans`. */
export interface PlanStore {
  read(siteId: string): Promise<NumberedPlan>
  /** Stores a plan if `after` is still the site's revision. Resolves to the new one; undefined: it was not. */
  write(siteId: string, plan: TrackingPlan, after: number): Promise<number | undefined>
  /** Removes a site's plan, if there is one. Resolves to the revision of that. */
  remove(siteId: string): Promise<number>
}

/** Creates the store over the bucket `plans`. */
export function createPlanStore(bucket: KV): PlanStore {
  return {
    async read(siteId) {
      const { value: plan = NO_PLAN, revision } = await readValue(bucket, siteId, parsePlan)
      return { plan, revision }
    },
    write: (siteId, plan, after) => replaceValue(bucket, siteId, plan, after),
    async remove(siteId) {
      const entry = await bucket.get(siteId)
      if (entry?.operation !== 'PUT') return entry?.revision ?? 0
      await bucket.delete(siteId)
      return (await bucket.get(siteId))?.revision ?? 0
    },
  }
}
