const BASE_MS = 1_000

/** Longest pause between two attempts on a collector that answers, in milliseconds. */
const CAP_MS = 60_000

/**
 * Attempts in a row that never reached the collector, after which something on the way is assumed to be the cause, such
 * as an ad blocker.
 */
const OPEN_AFTER = 5

/** Longest pause between two attempts then, in milliseconds. It is in effect for all tabs and pages. */
const OPEN_CAP_MS = 600_000

/** Returns whether so many failures in a row to reach the collector show that it can't be reached from here. */
export const isUnreachable = (failures: number) => failures > OPEN_AFTER

/**
 * Returns the milliseconds until the next attempt: exponential with full jitter, so that browsers that failed together
 * don't come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), on top of what
 * the server asked for.
 *
 * @param failures in a row, from 1
 * @param wait that the server asked for, in milliseconds
 * @param random in [0, 1)
 * @param unreachable whether the collector never answers, so that pauses may grow longer
 */
export function backoff(failures: number, wait: number, random: number, unreachable: boolean): number {
  return Math.round(wait + random * Math.min(unreachable ? OPEN_CAP_MS : CAP_MS, BASE_MS * 2 ** (failures - 1)))
}
