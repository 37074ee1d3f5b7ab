import { type CrossedFacts, createFeatureList, type FeatureList, writeFeatures } from '../features/cross.js'
import type { Facets } from '../features/facets.js'
import type { LinearModel } from './linear-model.js'

/** Rewards that are expected of contents, and how uncertain the expectations are. */
export interface Predictions {
  means: Float64Array
  /** Variance that the coefficients leave; of those that are not contenders, a bound from below. */
  variances: Float64Array
}

/** Contents whose variance is worked out: the others are too far behind to matter, and keep their share of exploration. */
const CONTENDERS = 64

/** Standard deviations above its mean by which a content is a contender. */
const OPTIMISM = 2.5

/** Predicts the rewards of contents at the first position. */
export function predict(model: LinearModel, facts: CrossedFacts, contents: readonly Facets[]): Predictions {
  const list = createFeatureList()
  const means = new Float64Array(contents.length)
  const variances = new Float64Array(contents.length)
  for (const [index, facets] of contents.entries()) {
    writeFeatures(list, facts, facets, model.dimension, 1)
    means[index] = meanOf(model, list)
    variances[index] = model.noise * diagonalOf(model, list)
  }
  for (const index of contendersOf(means, variances)) {
    writeFeatures(list, facts, contents[index]!, model.dimension, 1)
    variances[index] = model.noise * Math.max(0, quadraticOf(model, list))
  }
  return { means, variances }
}

function meanOf({ coefficients }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += coefficients[indices[i]!]! * values[i]!
  return sum
}

function diagonalOf({ inverse, dimension }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += inverse[indices[i]! * (dimension + 1)]! * values[i]! * values[i]!
  return sum
}

/** xᵀ (A + λ)⁻¹ x. A place that comes twice in the list adds up, as it does in x. */
function quadraticOf({ inverse, dimension }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const row = indices[i]! * dimension
    let off = 0
    for (let j = 0; j < i; j++) off += inverse[row + indices[j]!]! * values[j]!
    sum += values[i]! * (2 * off + inverse[row + indices[i]!]! * values[i]!)
  }
  return sum
}

function contendersOf(means: Float64Array, variances: Float64Array): number[] {
  const all = Array.from(means.keys())
  if (all.length <= CONTENDERS) return all
  const hope = means.map((mean, index) => mean + OPTIMISM * Math.sqrt(variances[index]!))
  return all.sort((a, b) => hope[b]! - hope[a]! || a - b).slice(0, CONTENDERS)
}
