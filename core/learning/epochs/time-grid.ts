/** Length of the youngest epochs, in milliseconds. */
export const BASE_MS = 1_000

/** Number of epochs of one level that are merged to one of the next. */
const FACTOR = 2

/** Epochs that a level keeps before the next level begins, so that no epoch is longer than half its age. */
const KEPT = 4

/** A cell of the time grid: `level` gives its length, `index` is its number, counted from 1970. */
export interface GridCell {
  level: number
  index: number
}

/** Precomputed lengths of levels: computing powers for each outcome would dominate the time. */
const LENGTHS = Array.from({ length: 64 }, (_, level) => BASE_MS * FACTOR ** level)

/** Returns how long epochs of a level are, in milliseconds. */
export function lengthOfLevel(level: number): number {
  return LENGTHS[level] ?? BASE_MS * FACTOR ** level
}

/** Returns when an epoch ends, in milliseconds since the epoch of Unix. */
export function endOf({ level, index }: GridCell): number {
  return (index + 1) * lengthOfLevel(level)
}

/**
 * Returns the level of the oldest epochs. They are at most a quarter of the horizon long, because an epoch is dropped
 * as a whole.
 */
export function topLevelOf(horizonMs: number): number {
  let level = 0
  while (lengthOfLevel(level + 1) * 4 <= horizonMs) level++
  return level
}

/**
 * Returns the cell of a time `at`, as of `now`. It depends on these two alone, and times in one cell stay in one cell
 * as `now` advances, so that sums do not depend on when and in which order outcomes come.
 *
 * @param at,now milliseconds since the epoch
 * @param topLevel level of the oldest epochs
 */
export function cellOf(at: number, now: number, topLevel: number): GridCell {
  const tick = Math.floor(now / BASE_MS) * BASE_MS
  let level = 0
  for (; level < topLevel; level++) {
    const parentEnd = endOf({ level: level + 1, index: Math.floor(at / lengthOfLevel(level + 1)) })
    if (parentEnd > tick - KEPT * lengthOfLevel(level)) break
  }
  return { level, index: Math.floor(at / lengthOfLevel(level)) }
}
