import type { KeyValue } from '../platform/storage.js'

/** Lets one tab at a time run `body`. The others wait, or come back later. */
export type TakeTurn = (body: () => Promise<void>) => Promise<void>

/** How long a tab without Web Locks may send undisturbed, in milliseconds: longer than one attempt can take. */
const LEASE_MS = 40_000

/**
 * One sender per browser: Web Locks, which the browser gives to the next tab when this one ends. They are missing on
 * pages without HTTPS; there a lease does, which two tabs can take at the same instant. What is then sent twice carries
 * the same ids, and the collector drops it.
 */
export function createTurns(
  name: string,
  locks: LockManager | undefined,
  storage: KeyValue,
  now: () => number,
): TakeTurn {
  if (locks) return body => locks.request(name, body).then(() => {})
  return async body => {
    if (Number(storage.get('lease')) > now()) return
    storage.set('lease', String(now() + LEASE_MS))
    try {
      await body()
    } finally {
      storage.remove('lease')
    }
  }
}
