import type { SparseVector } from './linear-sums.js'

/**
 * The outcome of one item of a decision, from which models learn. It is added when the item is viewed, with what it has
 * earned by then, and replaced when it earns more: subtracted as it was, added as it is.
 */
export interface LearningOutcome {
  contentId: string
  /** When it was decided, in milliseconds since the epoch. A late reward counts at the time of its decision. */
  at: number
  /** Rank on the page, from 1. */
  position: number
  /** In units of `REWARD_SCALE`, see `toFixedReward`. 0: viewed, and nothing came of it. */
  reward: number
  /** Stratum of losses of the browser, see `LOSS_STRATA`. Default 0: nothing is lost */
  stratum?: number
  /** Segments that the person was in. */
  segments: readonly string[]
  /** Hashed features of person, request and content. Absent: only the sums per content learn from it */
  features?: SparseVector
}
