const BASE_MS = 1_000
const CAP_MS = 60_000

/**
 * Milliseconds until the next attempt: exponential with full jitter, so that browsers that failed together don't come
 * back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), on top of what the server
 * asked for.
 *
 * @param failures in a row, from 1
 * @param wait what the server asked for, in milliseconds
 * @param random in [0, 1)
 */
export function backoff(failures: number, wait: number, random: number): number {
  return Math.round(wait + random * Math.min(CAP_MS, BASE_MS * 2 ** (failures - 1)))
}
