/** Time in which an empty bucket fills up, in milliseconds. */
const REFILL_MS = 60_000

/**
 * Limits what a page in a loop can capture, by a token bucket: says whether one more message may pass.
 *
 * @param limit messages at once, and per minute
 * @param now milliseconds of a clock
 */
export function createFloodLimit(limit: number, now: () => number): () => boolean {
  let tokens = limit
  let at = now()
  return () => {
    const time = now()
    // A clock that was set back must not take tokens.
    tokens = Math.min(limit, tokens + (Math.max(0, time - at) * limit) / REFILL_MS)
    at = time
    if (tokens < 1) return false
    tokens--
    return true
  }
}
