const BASE_MS = 1_000

/** Longest pause between two attempts on a collector that answers, in milliseconds. */
export const CAP_MS = 60_000

/**
 * Milliseconds until the next attempt: exponential with full jitter, so that browsers that failed together don't come
 * back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), on top of what the server
 * asked for.
 *
 * @param failures in a row, from 1
 * @param wait what the server asked for, in milliseconds
 * @param random in [0, 1)
 * @param cap longest pause beside `wait`, in milliseconds
 */
export function backoff(failures: number, wait: number, random: number, cap = CAP_MS): number {
  return Math.round(wait + random * Math.min(cap, BASE_MS * 2 ** (failures - 1)))
}
