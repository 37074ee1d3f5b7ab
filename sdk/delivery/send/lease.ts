import type { EventStore } from '../database/event-store.js'
import type { TakeTurn } from './turns.js'

/** Time a tab that ended in its turn keeps the others from sending, in milliseconds. */
export const LEASE_MS = 2_000

/** Time between two renewals of a turn, in milliseconds: timers of tabs in the background run once a second. */
export const RENEW_MS = 500

/**
 * Lets one tab of a browser send at a time without Web Locks, by a lease in the store. A tab whose timers stop for
 * longer than it lasts may find another one sending: messages sent twice then carry the same ids, and the collector
 * drops it.
 */
export function createLease({ update }: Pick<EventStore, 'update'>, now: () => number): TakeTurn {
  /**
   * Takes the turn until a time, unless another tab has it at the time `at`; without that, from any tab. 0 gives it
   * back.
   */
  const take = (until: number, at = Infinity) =>
    update(async (_, state) => {
      const { lease = 0 } = state
      // No tab takes it for longer than this one would: the clock was set back.
      const free = lease <= at || lease > until
      if (free) state.lease = until
      return free
    })
  return async body => {
    if (!(await take(now() + LEASE_MS, now()))) return false
    const timer = setInterval(() => take(now() + LEASE_MS), RENEW_MS)
    try {
      await body()
    } finally {
      clearInterval(timer)
      await take(0)
    }
    return true
  }
}
