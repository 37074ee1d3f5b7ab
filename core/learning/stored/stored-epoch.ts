/** Contents of one epoch that are stored, at most. */
export const MAX_STORED_CONTENTS = 10_000

/** Largest dimension of stored linear sums. */
export const MAX_STORED_DIMENSION = 1_024

/** A whole number; as text beyond 2^53, as sums of squares may be. */
export type StoredNumber = number | string

/** For each content: its id, then flat lists of `key difference, views, rewards, squares` by position and by bucket. */
export type StoredContents = [id: string, positions: StoredNumber[], segments: StoredNumber[]][]

/**
 * An epoch as JSON. Maps are flat lists of whole numbers in the order of their keys, so that equal sums are equal
 * texts. Keys are differences to the previous one, which are short.
 */
export interface StoredEpoch {
  version: 1
  level: number
  index: number
  contents: StoredContents
  /** `key difference, value`, as in `LinearSums`. */
  matrix: number[]
  vector: number[]
  outcomes: number
  squares: StoredNumber
  /** For each stratum of losses: its number, contents, vector and squares. Absent: nothing was lost */
  strata?: [stratum: number, contents: StoredContents, vector: number[], squares: StoredNumber][]
}
