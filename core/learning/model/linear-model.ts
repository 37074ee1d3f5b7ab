import { factorCholesky, invertCholesky, solveCholesky } from '../../algebra/cholesky.js'
import { OWN } from '../features/cross.js'
import { REWARD_SCALE } from '../sums/fixed-point.js'
import { triangleIndex } from '../sums/linear-sums.js'
import type { WeightedSums } from './weighted-sums.js'

/** A linear model of rewards: the posterior of a ridge regression. */
export interface LinearModel {
  dimension: number
  coefficients: Float64Array
  /** (A + λ)⁻¹, row by row: times `noise`, the covariance of the coefficients. */
  inverse: Float64Array
  /**
   * The block of `inverse` for own features of contents (see `OWN`), as a copy that fits a processor's nearest cache.
   */
  contentBlock: Float64Array
  /** Variance of a reward around its expectation. */
  noise: number
  /** Number of outcomes that it was fitted to. */
  outcomes: number
}

/** Ridge penalty, in average outcomes. */
const PRIOR_OUTCOMES = 1

/** Prior outcomes with the variance of a fair coin, so that noise is never 0. */
const PRIOR_NOISE_OUTCOMES = 4

/**
 * Fits the coefficients by ridge regression. Also returns the Cholesky factor, from which the inverse follows.
 *
 * @throws RangeError where the sums are none of outcomes, so that the matrix has no Cholesky factor
 */
export function fitCoefficients(sums: WeightedSums): { coefficients: Float64Array; factor: Float64Array } {
  const dimension = sums.vector.length
  const factor = new Float64Array(dimension * dimension)
  let trace = 0
  for (let row = 0; row < dimension; row++) {
    const start = triangleIndex(row, 0)
    for (let column = 0; column <= row; column++) factor[row * dimension + column] = sums.matrix[start + column]!
    trace += sums.matrix[start + row]!
  }
  const penalty = sums.outcomes > 0 ? (PRIOR_OUTCOMES * trace) / sums.outcomes : 1
  for (let row = 0; row < dimension; row++) factor[row * dimension + row] = factor[row * dimension + row]! + penalty
  factorCholesky(factor, dimension)
  const coefficients = solveCholesky(factor, dimension, sums.vector)
  for (let row = 0; row < dimension; row++) coefficients[row] = coefficients[row]! / REWARD_SCALE
  return { coefficients, factor }
}

/** Fits the linear model; undefined: there are no outcomes. @throws RangeError see `fitCoefficients` */
export function readLinear(sums: WeightedSums): LinearModel | undefined {
  if (!(sums.outcomes > 0)) return undefined
  const dimension = sums.vector.length
  const { coefficients, factor } = fitCoefficients(sums)
  const squares = sums.squares / REWARD_SCALE
  const unit = unitOf(sums)
  // The noise is not taken to be below that of a rare event: a fit without errors has only been lucky so far.
  const error = Math.max(0, squaredError(sums, coefficients))
  const noise = Math.min(
    (error + PRIOR_NOISE_OUTCOMES * 0.25 * unit * unit) / (sums.outcomes + PRIOR_NOISE_OUTCOMES),
    squares > 0 ? Math.max(squares / sums.outcomes, 0.01 * unit * unit) : 0.25,
  )
  const inverse = invertCholesky(factor, dimension)
  return {
    dimension,
    coefficients,
    inverse,
    contentBlock: contentBlockOf(inverse, dimension),
    noise,
    outcomes: sums.outcomes,
  }
}

/** Returns Σ (r − θᵀx)² over all outcomes, from their sums alone. */
export function squaredError(sums: WeightedSums, coefficients: Float64Array): number {
  let cross = 0
  for (let row = 0; row < coefficients.length; row++) cross += coefficients[row]! * sums.vector[row]!
  return (sums.squares - 2 * cross) / REWARD_SCALE + quadraticForm(sums.matrix, coefficients)
}

/** Returns vᵀ A v, of a symmetric matrix A given as its lower triangle. */
export function quadraticForm(triangle: Float64Array, vector: Float64Array): number {
  let sum = 0
  for (let row = 0; row < vector.length; row++) {
    const start = triangleIndex(row, 0)
    let off = 0
    for (let column = 0; column < row; column++) off += triangle[start + column]! * vector[column]!
    sum += vector[row]! * (2 * off + triangle[start + row]! * vector[row]!)
  }
  return sum
}

function contentBlockOf(inverse: Float64Array, dimension: number): Float64Array {
  const places = dimension / OWN
  const from = dimension - places
  return Float64Array.from(
    { length: places * places },
    (_, at) => inverse[(from + Math.floor(at / places)) * dimension + from + (at % places)]!,
  )
}

/** Returns the typical size of a reward that is not 0: 1 for clicks. */
function unitOf({ contents }: WeightedSums): number {
  let rewards = 0
  let squares = 0
  for (const { positions } of contents.values())
    for (const [, r, q] of positions.values()) {
      rewards += r
      squares += q
    }
  return rewards > 0 && squares > 0 ? squares / rewards : 1
}
