import type { KV } from '@nats-io/kv'
import { NO_PLAN, type TrackingPlan } from '@slotstream/protocol'
import { isJetStreamError, parseEntry } from '@slotstream/runtime'
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
      const entry = await bucket.get(siteId)
      if (!entry) return { plan: NO_PLAN, revision: 0 }
      const parsed = entry.operation === 'PUT' ? parseEntry(entry, parsePlan) : undefined
      // A plan that can't be read is none, at its revision: the next one may take its place.
      return { plan: parsed?.ok ? parsed.value : NO_PLAN, revision: entry.revision }
    },
    async write(siteId, plan, after) {
      try {
        return await bucket.put(siteId, JSON.stringify(plan), { previousSeq: after })
      } catch (error) {
        if (isJetStreamError(error, 'wrongLastSequence')) return undefined
        throw error
      }
    },
    async remove(siteId) {
      const entry = await bucket.get(siteId)
      if (entry?.operation !== 'PUT') return entry?.revision ?? 0
      await bucket.delete(siteId)
      return (await bucket.get(siteId))?.revision ?? 0
    },
  }
}
