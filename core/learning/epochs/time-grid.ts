/** Length of the youngest epochs, in milliseconds. */
export const BASE_MS = 1_000

/** Epochs of one level that become one of the next. */
const FACTOR = 2

/** Epochs of a level that are left before the next level begins: no epoch is longer than half its age. */
const KEPT = 4

/** Where outcomes of a time are summed: a length of epochs, and the number of the epoch since 1970. */
export interface GridCell {
  level: number
  index: number
}

/** Lengths of levels. Each outcome asks for some of them, and a power takes longer than all else there. */
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
 * Returns the level of the oldest epochs: they are at most a quarter of the horizon long, so that what is dropped whole
 * is dropped in time.
 */
export function topLevelOf(horizonMs: number): number {
  let level = 0
  while (lengthOfLevel(level + 1) * 4 <= horizonMs) level++
  return level
}

/**
 * Returns the cell of a time, as of another. It depends on these two alone, and times of one cell stay together, so
 * that outcomes are summed alike whenever and in whichever order they come.
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
