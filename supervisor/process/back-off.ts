/** First pause before a service is started again, and the longest, in milliseconds. */
export const FIRST_PAUSE_MS = 250
export const LONGEST_PAUSE_MS = 10_000

/** A service that ran this long was well: its next failure counts as the first again. */
export const WELL_AFTER_MS = 30_000

/** Returns the pause before the start after `failures` failures in a row: doubles from the first to the longest. */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
