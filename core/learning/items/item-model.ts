import type { Gram } from './gram.js'

/** How much each item of a person speaks for each other item. */
export interface ItemModel {
  /** Number of each item. */
  ids: ReadonlyMap<string, number>
  size: number
  /** Row by row: of an item of the person, its weight for each target. */
  weights: Float64Array | Float32Array
  /** Browsers that had each item: what newcomers are shown by. */
  popularity: Float64Array
  /** When it was fitted, in milliseconds since the epoch. Absent: it is not stored */
  asOf?: number
}

/** Returns the model that weights make of counts. */
export function itemModel({ ids, size, counts }: Gram, weights: Float64Array): ItemModel {
  return { ids, size, weights, popularity: Float64Array.from({ length: size }, (_, i) => counts[i * (size + 1)]!) }
}

/**
 * Returns, for a target, the sum of the weights of a person's items. 0 for what the model does not know.
 *
 * @param items numbers of the person's items
 */
export function scoreItem({ size, weights }: ItemModel, items: readonly number[], target: number | undefined): number {
  if (target === undefined) return 0
  let score = 0
  for (const item of items) score += weights[item * size + target]!
  return score
}

/** Returns, for all targets, the sum of the weights of a person's items, by their numbers. */
export function scoreItems({ size, weights }: ItemModel, items: readonly number[]): Float64Array {
  const scores = new Float64Array(size)
  for (const item of items) {
    const row = item * size
    for (let target = 0; target < size; target++) scores[target] = scores[target]! + weights[row + target]!
  }
  return scores
}
