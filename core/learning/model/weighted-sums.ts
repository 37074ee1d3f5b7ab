import type { Epoch } from '../epochs/epochs.js'
import { type ContentSums, isSound, type Tally } from '../sums/content-sums.js'
import { weightOfStratum } from '../sums/loss-strata.js'

/** A weighted tally. */
export type WeightedTally = readonly [views: number, rewards: number, squares: number]

/** Weighted sums over epochs, from which a model is fitted. Not whole numbers. */
export interface WeightedSums {
  contents: Map<string, { positions: Map<number, WeightedTally>; segments: Map<number, WeightedTally> }>
  /** Lower triangle of Σ x xᵀ, by `triangleIndex`. */
  matrix: Float64Array
  /** Σ r x, in units of `REWARD_SCALE`. */
  vector: Float64Array
  outcomes: number
  /** Σ r², in units of `REWARD_SCALE`. */
  squares: number
}

/**
 * Returns empty sums.
 *
 * @param dimension of the linear sums. 0: none
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

/**
 * Adds the sums of an epoch with a weight. A reward in a stratum of losses also stands for those that were lost there
 * (Horvitz and Thompson 1952). Views need no correction, because a view that is lost is not learned from. Contents
 * whose sums in a stratum are impossible, because records were lost, are read without this correction.
 */
export function addWeighted(sums: WeightedSums, { sums: { contents, linear, strata } }: Epoch, weight: number): void {
  addContents(sums, contents, { views: weight, rewards: weight, squares: weight })
  const isLinear = sums.vector.length > 0
  if (isLinear) {
    addNumbers(sums.matrix, linear.matrix, weight)
    addNumbers(sums.vector, linear.vector, weight)
    sums.outcomes += weight * linear.outcomes
    sums.squares += weight * Number(linear.squares)
  }
  for (const [stratum, lossy] of strata) {
    const lost = lostBeside(stratum, weight)
    const sound = [...lossy.contents].filter(([, content]) => isSound(content))
    addContents(sums, sound, lost)
    if (!isLinear || lossy.squares < 0n || sound.length < lossy.contents.size) continue
    addNumbers(sums.vector, lossy.vector, lost.rewards)
    sums.squares += lost.squares * Number(lossy.squares)
  }
}

/** Factors for the fields of a tally. */
interface TallyWeights {
  views: number
  rewards: number
  squares: number
}

/** Returns the factors for what was lost in a stratum, beside what arrived, which is in the sums of the epoch. */
function lostBeside(stratum: number, weight: number): TallyWeights {
  const all = weightOfStratum(stratum)
  return { views: 0, rewards: weight * (all - 1), squares: weight * (all * all - 1) }
}

/** Adds up epochs with weights. Default: 1 for each */
export function weighEpochs(epochs: readonly Epoch[], dimension: number, weightOf: (epoch: Epoch) => number = () => 1) {
  const sums = emptyWeightedSums(dimension)
  for (const epoch of epochs) addWeighted(sums, epoch, weightOf(epoch))
  return sums
}

function addContents(sums: WeightedSums, contents: Iterable<[string, ContentSums]>, weights: TallyWeights): void {
  for (const [id, { positions, segments }] of contents) {
    const content = sums.contents.get(id) ?? { positions: new Map(), segments: new Map() }
    addTallies(content.positions, positions, weights)
    addTallies(content.segments, segments, weights)
    sums.contents.set(id, content)
  }
}

function addNumbers(into: Float64Array, from: ReadonlyMap<number, number>, weight: number): void {
  for (const [index, value] of from) into[index] = into[index]! + weight * value
}

function addTallies(into: Map<number, WeightedTally>, from: ReadonlyMap<number, Tally>, weights: TallyWeights): void {
  for (const [key, [views, rewards, squares]] of from) {
    const [v, r, s] = into.get(key) ?? [0, 0, 0]
    into.set(key, [v + weights.views * views, r + weights.rewards * rewards, s + weights.squares * Number(squares)])
  }
}
