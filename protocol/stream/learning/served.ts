import type { CountFrom, Reward } from '../../site/rewards.js'

/**
 * A decision that showed something, as the visitor's profile is told of it. It is in an envelope of
 * `events.<partition>`, so that every replay counts caps and joins rewards at the same place among the visitor's
 * messages.
 */
export interface ServedDecision {
  decisionId: string
  slotId: string
  /** When it was made, in milliseconds since the epoch. */
  at: number
  /** Session of the request; '' where it named none. */
  sessionId: string
  /** By position. */
  items: ServedItem[]
  /** Rewards of the slot as it was. Absent: `DEFAULT_REWARDS` */
  rewards?: Reward[]
  /**
   * Most that an item earns by a reward whose value is a path and that names no `max`, in ten-thousandths: a multiple
   * of what was typical when it was decided. It is in the stream, so that every replay learns the same. Absent: not
   * known
   */
  most?: number
  /** Absent: `viewed` */
  countFrom?: CountFrom
  /** Segments that the person was in. Absent: none */
  segments?: string[]
  /** The policy does not learn, nor does the slot: items count for caps only. Absent: it learns */
  isOnlyCounted?: true
  /**
   * The visitor was held out: items are what would have been shown. They count for caps only. Absent: they were shown
   */
  isGhost?: true
}

/** An item of a served decision. */
export interface ServedItem {
  contentId: string
  /** Rank on the page, from 1. */
  position: number
  /** Hashed features for the linear model, see `PackedFeatures`. Absent: only sums per content learn from it */
  features?: PackedFeatures
  /** Event after which the person is not shown it again. Absent: none */
  stopAfter?: string
}

/** Whole numbers as `index difference, value, …`: features of a vector, which are mostly zero. */
export type PackedFeatures = number[]
