import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KvEntry } from '@nats-io/kv'
import type { TrackingPlan } from '@slotstream/protocol'
import { type Log, parseEntry, skipEntry } from '@slotstream/runtime'
import { type CompiledPlan, compilePlan, parsePlan } from '@slotstream/tracking-plan'

/** The tracking plans of all sites, kept up to date from their bucket. */
export interface Plans {
  /** Returns the plan in effect; undefined when nothing is to be checked. */
  of(siteId: string): CompiledPlan | undefined
  /** Applies an entry of the bucket `plans`: compiles it beside the plan in use, and then takes it in one step. */
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json' | 'revision'>): void
  /** Compiles a plan without using it. Throws PlanError. */
  compile(siteId: string, plan: TrackingPlan): Promise<CompiledPlan>
  /**
   * Takes a plan that was just stored as `revision`; undefined: that was removed. The watch says the same in a moment.
   */
  take(siteId: string, plan: CompiledPlan | undefined, revision: number): void
  /** Resolves when every entry that was applied is in use. */
  settled(): Promise<void>
}

/**
 * @param report told the revision in use, 0 for none
 */
export function createPlans(log: Log, report: (siteId: string, revision: number) => void = () => {}): Plans {
  const inUse = new Map<string, { plan: CompiledPlan | undefined; revision: number }>()
  /** The newest entry of each site, and the work on it: what is overtaken while it waits is never compiled. */
  const newest = new Map<string, number>()
  const working = new Map<string, Promise<void>>()
  /** Revisions that were taken before the watch told of them. Older ones that it still tells of would undo them. */
  const ahead = new Map<string, number>()

  function take(siteId: string, plan: CompiledPlan | undefined, revision: number): void {
    inUse.set(siteId, { plan, revision })
    report(siteId, plan ? revision : 0)
  }

  async function load(siteId: string, entry: Pick<KvEntry, 'json'>, revision: number): Promise<void> {
    if (newest.get(siteId) !== revision) return
    const parsed = parseEntry(entry, parsePlan)
    if (!parsed.ok) return skipEntry(log, 'plans', { site: siteId, revision }, parsed.reason)
    try {
      const plan = await compilePlan(parsed.value, inUse.get(siteId)?.plan, nextTurn)
      if (newest.get(siteId) === revision) take(siteId, plan, revision)
    } catch (error) {
      skipEntry(log, 'plans', { site: siteId, revision }, `the one before stays: ${String(error)}`)
    }
  }

  return {
    of(siteId) {
      const plan = inUse.get(siteId)?.plan
      return plan && plan.mode !== 'off' ? plan : undefined
    },
    apply(entry) {
      const { key, operation, revision } = entry
      if (revision < (ahead.get(key) ?? 0)) return
      ahead.delete(key)
      newest.set(key, revision)
      if (inUse.get(key)?.revision === revision) return
      if (operation !== 'PUT') return take(key, undefined, revision)
      const work = (working.get(key) ?? Promise.resolve()).then(() => load(key, entry, revision))
      working.set(key, work)
      void work.then(() => {
        if (working.get(key) === work) working.delete(key)
      })
    },
    compile: (siteId, plan) => compilePlan(plan, inUse.get(siteId)?.plan, nextTurn),
    take(siteId, plan, revision) {
      const latest = newest.get(siteId) ?? 0
      if (latest > revision) return
      if (latest < revision) ahead.set(siteId, revision)
      newest.set(siteId, revision)
      take(siteId, plan, revision)
    },
    async settled() {
      while (working.size > 0) await Promise.all(working.values())
    },
  }
}
