import type { SparseVector } from './linear-sums.js'

/**
 * What came of one item of a decision: all that models learn from. It enters when the item was viewed, with what it has
 * earned by then, and is replaced when it earns more: taken away as it was, added as it is.
 */
export interface LearningOutcome {
  contentId: string
  /** When it was decided, in milliseconds since the epoch. A late reward counts where its decision does. */
  at: number
  /** Rank on the page, from 1. */
  position: number
  /** In units of `REWARD_SCALE`: see `toFixedReward`. 0: seen, and nothing came of it. */
  reward: number
  /** Stratum of what the browser loses, see `LOSS_STRATA`. Absent: 0, nothing */
  stratum?: number
  /** Segments that the person was in. */
  segments: readonly string[]
  /** Hashed features of person, request and content. Undefined: only the sums per content learn from it. */
  features?: SparseVector
}
