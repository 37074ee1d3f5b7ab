/** Wrong passwords of an address that cost nothing: people mistype. */
const FREE = 5
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000
/** Time without a wrong password after which an address starts from zero, in milliseconds. */
const FORGET_MS = 15 * 60_000
/** Addresses remembered at a time; the one that was wrong longest ago is forgotten first. */
const MAX_ADDRESSES = 10_000

/**
 * Slows guessing: after some wrong passwords an address waits, twice as long each time. A right one in between changes
 * nothing, or the owner of one account could guess at the others.
 */
export interface LoginPauses {
  /** Returns the milliseconds that the address still has to wait; 0 when it may try. */
  remaining(address: string): number
  wrong(address: string): void
}

/** @param now milliseconds of a clock */
export function createLoginPauses(now: () => number = Date.now): LoginPauses {
  const wrongLogins = new Map<string, { count: number; last: number; until: number }>()
  return {
    remaining: address => Math.max(0, (wrongLogins.get(address)?.until ?? 0) - now()),
    wrong(address) {
      const at = now()
      const before = wrongLogins.get(address)
      const count = before && at - before.last < FORGET_MS ? before.count + 1 : 1
      const pause = count <= FREE ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (count - FREE - 1), MAX_PAUSE_MS)
      wrongLogins.delete(address)
      wrongLogins.set(address, { count, last: at, until: at + pause })
      if (wrongLogins.size > MAX_ADDRESSES) wrongLogins.delete(wrongLogins.keys().next().value!)
    },
  }
}
