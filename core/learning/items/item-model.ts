import type { Gram } from './gram.js'

/** A model of items: the weight of each item of a person for each target item. */
export interface ItemModel {
  /** Number of each item. */
  ids: ReadonlyMap<string, number>
  size: number
  /** Row by row: one row per item of the person, one column per target. */
  weights: Float64Array | Float32Array
  /** Number of browsers with each item, by which newcomers are served. */
  popularity: Float64Array
  /** When it was fitted, in milliseconds since the epoch. Absent: it is not stored */
  asOf?: number
}

/** Creates a model from counts and fitted weights. */
export function itemModel({ ids, size, counts }: Gram, weights: Float64Array): ItemModel {
  return { ids, size, weights, popularity: Float64Array.from({ length: size }, (_, i) => counts[i * (size + 1)]!) }
}

/**
 * Returns the score of a target: the sum of the weights of the person's items. Undefined target: 0.
 *
 * @param items numbers of the person's items
 */
export function scoreItem({ size, weights }: ItemModel, items: readonly number[], target: number | undefined): number {
  if (target === undefined) return 0
  let score = 0
  for (const item of items) score += weights[item * size + target]!
  return score
}

/** Returns the scores of all targets, by number, see `scoreItem`. */
export function scoreItems({ size, weights }: ItemModel, items: readonly number[]): Float64Array {
  const scores = new Float64Array(size)
  for (const item of items) {
    const row = item * size
    for (let target = 0; target < size; target++) scores[target] = scores[target]! + weights[row + target]!
  }
  return scores
}
