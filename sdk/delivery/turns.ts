import type { EventStore } from './event-store.js'

/** Lets one tab at a time run `body`. False: it was another tab's turn. */
export type TakeTurn = (body: () => Promise<void>) => Promise<boolean>

/** How long a tab that ended in its turn keeps the others from sending, in milliseconds. */
export const LEASE_MS = 2_000

/** How often a turn is prolonged, in milliseconds: timers of tabs in the background run once a second. */
export const RENEW_MS = 500

/**
 * One sender per browser: Web Locks, which the browser gives to the next tab when this one ends. They are missing on
 * pages without HTTPS, and refuse in frames without an origin; there a lease in the store does. A tab whose timers stop for longer than it lasts may find
 * another one sending: what is then sent twice carries the same ids, and the collector drops it.
 */
export function createTurns(
  name: string,
  locks: LockManager | undefined,
  { lease }: Pick<EventStore, 'lease'>,
  now: () => number,
): TakeTurn {
  const byLease: TakeTurn = async body => {
    if (!(await lease(now() + LEASE_MS, now()))) return false
    const timer = setInterval(() => lease(now() + LEASE_MS), RENEW_MS)
    try {
      await body()
    } finally {
      clearInterval(timer)
      await lease(0)
    }
    return true
  }
  return async body => {
    let begun = false
    try {
      await locks?.request(name, () => {
        begun = true
        return body()
      })
    } catch (error) {
      // Frames without an origin of their own have Web Locks that refuse.
      if (begun) throw error
    }
    return begun || byLease(body)
  }
}
