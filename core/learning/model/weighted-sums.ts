import type { Epoch } from '../epochs/epochs.js'
import type { Tally } from '../sums/content-sums.js'

/** A tally by weight. */
export type WeightedTally = readonly [views: number, rewards: number, squares: number]

/** Sums over epochs, each with its weight: what a model is made from. No longer whole numbers. */
export interface WeightedSums {
  contents: Map<string, { positions: Map<number, WeightedTally>; segments: Map<number, WeightedTally> }>
  /** Lower triangle of Σ x xᵀ, by `triangleIndex`. */
  matrix: Float64Array
  /** Σ r x, in units of `REWARD_SCALE`. */
  vector: Float64Array
  outcomes: number
  squares: number
}

/**
 * Returns sums over no epoch.
 *
 * @param dimension of the linear sums. 0: leaves them out
 */
export function emptyWeightedSums(dimension: number): WeightedSums {
  return {
    contents: new Map(),
    matrix: new Float64Array((dimension * (dimension + 1)) / 2),
    vector: new Float64Array(dimension),
    outcomes: 0,
    squares: 0,
  }
}

/** Adds the sums of an epoch by weight. */
export function addWeighted(sums: WeightedSums, { sums: { contents, linear } }: Epoch, weight: number): void {
  for (const [id, { positions, segments }] of contents) {
    const content = sums.contents.get(id) ?? { positions: new Map(), segments: new Map() }
    addTallies(content.positions, positions, weight)
    addTallies(content.segments, segments, weight)
    sums.contents.set(id, content)
  }
  if (sums.vector.length === 0) return
  for (const [index, value] of linear.matrix) sums.matrix[index] = sums.matrix[index]! + weight * value
  for (const [index, value] of linear.vector) sums.vector[index] = sums.vector[index]! + weight * value
  sums.outcomes += weight * linear.outcomes
  sums.squares += weight * Number(linear.squares)
}

/** Adds up epochs by weight. */
export function weighEpochs(epochs: readonly Epoch[], dimension: number, weightOf: (epoch: Epoch) => number = () => 1) {
  const sums = emptyWeightedSums(dimension)
  for (const epoch of epochs) addWeighted(sums, epoch, weightOf(epoch))
  return sums
}

function addTallies(into: Map<number, WeightedTally>, from: ReadonlyMap<number, Tally>, weight: number): void {
  for (const [key, [views, rewards, squares]] of from) {
    const [v, r, s] = into.get(key) ?? [0, 0, 0]
    into.set(key, [v + weight * views, r + weight * rewards, s + weight * Number(squares)])
  }
}
