import type { FeatureRow, Json, JsonObject } from '@slotstream/protocol'
import type { Scalar } from '../input/scalar.js'

/** One contribution of a message to a feature. */
export interface Sample {
  /** The value at the feature's path; 1 where it has none. */
  value: Scalar
  /** Weight of the event. 1 unless the feature weighs its events. */
  weight: number
  /** Time of the message, in milliseconds since the epoch. */
  at: number
  messageId: string
  /** Properties of the message. */
  properties?: JsonObject | undefined
  /** Features that the message changed so far, and keys and values of lists that it added, or tried to. */
  additions: number
}

/**
 * Sums up samples. Rows are never changed: each function returns another one, or one that it was given. `merge` is
 * commutative and associative, and adding a sample is merging with the row of that sample alone, so that neither the
 * order of messages nor the way they are cut into batches matters.
 */
export interface Aggregate<Row extends FeatureRow = FeatureRow> {
  /** Returns the row with a sample, or the row itself where the sample has no value of the right kind. */
  add(row: Row | undefined, sample: Sample): Row | undefined
  merge(a: Row, b: Row): Row
  /**
   * Returns the value of a row, or of nothing.
   *
   * @param at the time that is asked about, in milliseconds since the epoch
   */
  value(row: Row | undefined, at: number): Json
}
