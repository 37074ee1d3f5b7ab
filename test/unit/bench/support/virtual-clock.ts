import type { Clock } from '#bench/support/open-loop.js'

/** A clock that moves only when code sleeps, each time by `lateMs` more than asked for. */
export function virtualClock(lateMs = 0): Clock {
  let now = 1_000
  return {
    now: () => now,
    async sleep(ms) {
      now += ms + lateMs
    },
  }
}
