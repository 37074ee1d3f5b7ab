import {
  type CrossedFacts,
  createFeatureList,
  type FeatureList,
  OWN,
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
  const list = createFeatureList()
  const means = new Float64Array(contents.length)
  const variances = new Float64Array(contents.length)
  const parts = new Map<number, SharedPart>()
  for (const [index, facets] of contents.entries()) {
    const shared = parts.get(facets.category) ?? sharedPartOf(model, facts, facets, list)
    parts.set(facets.category, shared)
    writeOwn(list, facts, facets, model.dimension)
    means[index] = shared.mean + meanOf(model, list)
    variances[index] = model.noise * (shared.quadratic + roughOf(model, list))
  }
  for (const index of contendersOf(means, variances)) {
    const { quadratic, projected } = parts.get(contents[index]!.category)!
    writeOwn(list, facts, contents[index]!, model.dimension)
    variances[index] = model.noise * Math.max(0, quadratic + ownQuadratic(model, projected, list))
  }
  return { means, variances }
}

function sharedPartOf(model: LinearModel, facts: CrossedFacts, facets: Facets, list: FeatureList): SharedPart {
  const { inverse, dimension } = model
  writeShared(list, facts, facets, dimension)
  const from = dimension - dimension / OWN
  const projected = new Float64Array(dimension / OWN)
  let quadratic = 0
  for (let i = 0; i < list.count; i++) {
    const row = list.indices[i]! * dimension
    const value = list.values[i]!
    for (let place = 0; place < projected.length; place++)
      projected[place] = projected[place]! + value * inverse[row + from + place]!
    let off = 0
    for (let j = 0; j < i; j++) off += inverse[row + list.indices[j]!]! * list.values[j]!
    quadratic += value * (2 * off + inverse[row + list.indices[i]!]! * value)
  }
  return { mean: meanOf(model, list), quadratic, projected }
}

function meanOf({ coefficients }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += coefficients[indices[i]!]! * values[i]!
  return sum
}

/** A rough variance of own features: as if they were independent. */
function roughOf({ own, dimension }: LinearModel, { count, indices, values }: FeatureList): number {
  const places = dimension / OWN
  const from = dimension - places
  let sum = 0
  for (let i = 0; i < count; i++) sum += own[(indices[i]! - from) * (places + 1)]! * values[i]! * values[i]!
  return sum
}

/** xᵀ (A + λ)⁻¹ x beyond the shared part. A place that comes twice in the list adds up, as it does in x. */
function ownQuadratic(
  { own, dimension }: LinearModel,
  projected: Float64Array,
  { count, indices, values }: FeatureList,
): number {
  const places = dimension / OWN
  const from = dimension - places
  let sum = 0
  for (let i = 0; i < count; i++) {
    const place = indices[i]! - from
    const row = place * places
    let off = projected[place]!
    for (let j = 0; j < i; j++) off += own[row + indices[j]! - from]! * values[j]!
    sum += values[i]! * (2 * off + own[row + place]! * values[i]!)
  }
  return sum
}

function contendersOf(means: Float64Array, variances: Float64Array): number[] {
  const all = Array.from(means.keys())
  if (all.length <= CONTENDERS) return all
  const hope = means.map((mean, index) => mean + OPTIMISM * Math.sqrt(variances[index]!))
  // The hope of the last contender, found among the numbers alone: sorting them is quicker than sorting places by them.
  const least = Float64Array.from(hope).sort()[all.length - CONTENDERS]!
  return all.filter(index => hope[index]! >= least).slice(0, CONTENDERS)
}
