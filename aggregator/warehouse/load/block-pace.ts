/** Wait of the next block for more rows, as a multiple of the time of an insert: inserts take a tenth of all time. */
const WAITS_PER_INSERT = 10

/** The longest that a block waits for the sake of the processor, in milliseconds. A setting may say more. */
const LONGEST_MS = 1_000

/** Weight of the latest insert in the mean. */
const WEIGHT = 0.25

/** How long the blocks of one stream wait for more rows. */
export interface BlockPace {
  /** Milliseconds since a block's first message, after which it ends. */
  readonly maxAgeMs: number
  /** Takes into account how long inserting a block took, in milliseconds. */
  inserted(tookMs: number): void
}

/**
 * Makes blocks fewer and larger where inserting them takes long. ClickHouse takes most of its time for a block, and
 * little for its rows: on a machine that is busy, small blocks would take the processor from those who answer visitors.
 *
 * @param leastMs how long a block waits at least, in milliseconds
 */
export function createBlockPace(leastMs: number): BlockPace {
  let meanMs = 0
  return {
    get maxAgeMs() {
      return Math.max(leastMs, Math.min(LONGEST_MS, WAITS_PER_INSERT * meanMs))
    },
    inserted(tookMs) {
      meanMs += WEIGHT * (tookMs - meanMs)
    },
  }
}
