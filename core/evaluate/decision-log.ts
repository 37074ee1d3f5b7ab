import type { RecordedFacts } from '@slotstream/protocol'

/**
 * Situation in which a row was decided: what was eligible, and known of the person. Rows share it where it is the same.
 */
export interface LoggedSituation {
  /** Number of the position on the page, from 0. */
  position: number
  /** Numbers of the actions that were eligible, as recorded. Undefined: the log does not say. */
  eligible?: readonly number[]
  /** True for each of `eligible` that had a chance. Undefined: the log does not say. */
  possible?: readonly boolean[]
  /** Chance of each of `eligible` for the first position, about. Undefined: the log does not say. */
  chances?: ArrayLike<number>
  /** Numbers of the actions at the positions above, which are not shown again. */
  above: readonly number[]
  /** The person's interests. Undefined: the log does not say. */
  affinities?: Record<string, number>
  /** Facts that the logging policy read beside them. Undefined: the log has none. */
  known?: RecordedFacts
}

/** Rows of a log as columns, in its order: each an action that was shown at a position, and what came of it. */
export interface DecisionLog {
  rows: number
  /** Ids of actions, by number. */
  ids: readonly string[]
  action: Uint32Array
  /** Number of the situation of each row. */
  situation: Uint32Array
  situations: readonly LoggedSituation[]
  reward: Float64Array
  /** Chance with which the action was drawn for its position, given those above. */
  propensity: Float64Array
  /** Relative error of each propensity that rounding of its digits explains, at most. Undefined: none */
  rounding?: Float64Array
  /** Number of the decision of each row. Rows of one decision are adjacent, and numbers rise. */
  decision: Uint32Array
  /** Time when each was decided, in milliseconds since the epoch. Undefined: the log does not say. */
  time?: Float64Array
  /** Positions that occur, as one more than the last. */
  positions: number
}

/** Chances with which a policy shows actions in a situation. */
export interface Lot {
  /** Numbers of actions. */
  actions: ArrayLike<number>
  /** Chance of each of `actions`. */
  chances: ArrayLike<number>
}

/** Rows from a number up to another, without it. */
export interface RowRange {
  from: number
  to: number
}
