import { uuidv7 } from '@slotstream/protocol'

/**
 * Makes UUIDv7s that ascend in the order they were made, also within one millisecond and when the clock is set back:
 * the twelve bits after the version count (RFC 9562 §6.2, method 1). The queue orders what it keeps by these ids.
 */
export function createIds(now: () => number): () => string {
  let time = 0
  let count = 0
  // Asking for random bytes costs more than the rest of an id: ask for many.
  const pool = new Uint8Array(1_000)
  let used = pool.length
  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool)
      used = 0
    }
    const random = pool.subarray(used, used + 10)
    used += 10
    if (now() > time) {
      time = now()
      // Starting in the lower half leaves room to count up.
      count = ((random[0]! & 7) << 8) | random[1]!
    } else if (++count > 0xfff) {
      time++
      count = 0
    }
    random[0] = count >> 8
    random[1] = count & 0xff
    return uuidv7(time, random)
  }
}
