import { nthLargest } from '../../algebra/nth-largest.js'
import {
  type CrossedFacts,
  createFeatureList,
  type FeatureList,
  OWN,
  sumOwn,
  writeOwn,
  writeShared,
} from '../features/cross.js'
import type { Facets } from '../features/facets.js'
import type { LinearModel } from './linear-model.js'

/** Rewards that are expected of contents, and how uncertain the expectations are. */
export interface Predictions {
  means: Float64Array
  /** Variance that the coefficients leave; of those that are not contenders, a rough one. */
  variances: Float64Array
}

/** Contents whose variance is worked out: the others are too far behind to matter, and keep their share of exploration. */
const CONTENDERS = 64

/** Standard deviations above its mean by which a content is a contender. */
const OPTIMISM = 2.5

/** What contents of a category share of a prediction. */
interface SharedPart {
  mean: number
  quadratic: number
  /** (A + λ)⁻¹ x of the shared features, at the places of own ones. */
  projected: Float64Array
}

/**
 * Predicts the rewards of contents at the first position. What contents of a category share is worked out once for each
 * category: mean and variance of a content then cost what its own features do.
 */
export function predict(model: LinearModel, facts: CrossedFacts, contents: readonly Facets[]): Predictions {
  const { dimension } = model
  const list = createFeatureList()
  const means = new Float64Array(contents.length)
  const variances = new Float64Array(contents.length)
  const parts = new Map<number, SharedPart>()
  const places = dimension / OWN
  const coefficients = withOtherSign(model.coefficients.subarray(dimension - places))
  const diagonal = diagonalOf(model.own, places)
  const own = { linear: 0, square: 0 }
  for (let index = 0; index < contents.length; index++) {
    const facets = contents[index]!
    let shared = parts.get(facets.category)
    if (!shared) {
      shared = sharedPartOf(model, facts, facets, list)
      parts.set(facets.category, shared)
    }
    // The variance is a rough one for now: as if own features were independent.
    sumOwn(own, facts, facets, coefficients, diagonal)
    means[index] = shared.mean + own.linear
    variances[index] = model.noise * (shared.quadratic + own.square)
  }
  for (const index of contendersOf(means, variances)) {
    const { quadratic, projected } = parts.get(contents[index]!.category)!
    writeOwn(list, facts, contents[index]!, dimension, 0)
    variances[index] = model.noise * Math.max(0, quadratic + ownQuadratic(model, projected, list))
  }
  return { means, variances }
}

function sharedPartOf(model: LinearModel, facts: CrossedFacts, facets: Facets, list: FeatureList): SharedPart {
  const { inverse, dimension } = model
  writeShared(list, facts, facets, dimension)
  const { count, indices, values } = list
  const places = dimension / OWN
  const projected = new Float64Array(places)
  let quadratic = 0
  for (let i = 0; i < count; i++) {
    const row = indices[i]! * dimension
    const value = values[i]!
    const own = row + dimension - places
    for (let place = 0; place < places; place++) projected[place] = projected[place]! + value * inverse[own + place]!
    let off = 0
    for (let j = 0; j < i; j++) off += inverse[row + indices[j]!]! * values[j]!
    quadratic += value * (2 * off + inverse[row + indices[i]!]! * value)
  }
  return { mean: meanOf(model, list), quadratic, projected }
}

function meanOf({ coefficients }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += coefficients[indices[i]!]! * values[i]!
  return sum
}

function withOtherSign(values: Float64Array): Float64Array {
  const both = new Float64Array(2 * values.length)
  for (let at = 0; at < values.length; at++) {
    both[at] = values[at]!
    both[values.length + at] = -values[at]!
  }
  return both
}

function diagonalOf(matrix: Float64Array, places: number): Float64Array {
  const diagonal = new Float64Array(places)
  for (let place = 0; place < places; place++) diagonal[place] = matrix[place * (places + 1)]!
  return diagonal
}

/**
 * xᵀ (A + λ)⁻¹ x beyond the shared part, of features whose places begin at 0. A place that comes twice in the list adds up, as it
 * does in x.
 */
function ownQuadratic(
  { own, dimension }: LinearModel,
  projected: Float64Array,
  { count, indices, values }: FeatureList,
): number {
  const places = dimension / OWN
  let sum = 0
  for (let i = 0; i < count; i++) {
    const place = indices[i]!
    const row = place * places
    let off = projected[place]!
    for (let j = 0; j < i; j++) off += own[row + indices[j]!]! * values[j]!
    sum += values[i]! * (2 * off + own[row + place]! * values[i]!)
  }
  return sum
}

function contendersOf(means: Float64Array, variances: Float64Array): number[] {
  const hope = new Float64Array(means.length)
  for (let index = 0; index < hope.length; index++)
    hope[index] = means[index]! + OPTIMISM * Math.sqrt(variances[index]!)
  const least = hope.length > CONTENDERS ? nthLargest(hope, CONTENDERS) : Number.NEGATIVE_INFINITY
  const contenders: number[] = []
  for (let index = 0; index < hope.length && contenders.length < CONTENDERS; index++)
    if (!(hope[index]! < least)) contenders.push(index)
  return contenders
}
