import { nthLargest } from '../../algebra/nth-largest.js'
import { pad, sparseQuadratic } from '../../algebra/sparse-quadratic.js'
import { createWorkspace } from '../../algebra/workspace.js'
import {
  type CrossedFacts,
  createFeatureList,
  type FeatureList,
  OWN,
  sumOwn,
  writeOwn,
  writeShared,
} from '../features/cross.js'
import type { FacetTable } from '../features/facet-table.js'
import type { Facets } from '../features/facets.js'
import type { LinearModel } from './linear-model.js'

/**
 * Predicted rewards of contents and their variances. Both arrays are reused by the next call.
 */
export interface Predictions {
  means: Float64Array
  /** Variance due to the coefficients; only approximate for contents that are not contenders. */
  variances: Float64Array
}

/**
 * Contents whose variance is computed exactly, at most: the others are too far behind to matter.
 */
const CONTENDERS = 64

/** Contents are contenders by their upper confidence bound: the mean plus this many standard deviations. */
const OPTIMISM = 2.5

const list = createFeatureList()
const meanSpace = createWorkspace()
const varianceSpace = createWorkspace()
const hopeSpace = createWorkspace()
const projection = createWorkspace()

/** The part of predictions that contents of a category share. */
interface SharedPart {
  mean: number
  quadratic: number
  /** Contenders of the category, as indices into the predictions. */
  contenders: number[]
}

/**
 * Predicts the rewards of contents at the first position. The part that contents of a category share is computed once
 * per category, so that each content only costs its own features.
 *
 * @param places of the contents to predict, in the table
 */
export function predict(
  model: LinearModel,
  facts: CrossedFacts,
  { facets: ofAll, categoryOf, categories }: FacetTable,
  places: readonly number[],
): Predictions {
  const { dimension } = model
  const means = meanSpace(places.length)
  const variances = varianceSpace(places.length)
  const parts = new Array<SharedPart | undefined>(categories)
  const { coefficients, diagonal } = tablesOf(model)
  const contentPart = { linear: 0, square: 0 }
  for (let index = 0; index < places.length; index++) {
    const place = places[index]!
    const facets = ofAll[place]!
    const category = categoryOf[place]!
    let shared = parts[category]
    if (!shared) {
      shared = sharedPartOf(model, facts, facets)
      parts[category] = shared
    }
    // An approximation at first: as if own features were independent.
    sumOwn(contentPart, facts, facets, coefficients, diagonal)
    means[index] = shared.mean + contentPart.linear
    variances[index] = model.noise * (shared.quadratic + contentPart.square)
  }
  for (const index of contendersOf(means, variances)) parts[categoryOf[places[index]!]!]!.contenders.push(index)
  for (const part of parts) {
    if (!part || part.contenders.length === 0) continue
    const facetsOf = (index: number) => ofAll[places[index]!]!
    writeShared(list, facts, facetsOf(part.contenders[0]!), dimension)
    pad(list)
    const projected = projectedOn(model.inverse, dimension, list)
    for (const index of part.contenders) {
      writeOwn(list, facts, facetsOf(index), dimension, 0)
      pad(list)
      const quadratic = part.quadratic + sparseQuadratic(model.contentBlock, dimension / OWN, projected, list)
      variances[index] = model.noise * Math.max(0, quadratic)
    }
  }
  return { means, variances }
}

function sharedPartOf(model: LinearModel, facts: CrossedFacts, facets: Facets): SharedPart {
  const { inverse, dimension } = model
  writeShared(list, facts, facets, dimension)
  pad(list)
  return {
    mean: meanOf(model, list),
    quadratic: sparseQuadratic(inverse, dimension, undefined, list),
    contenders: [],
  }
}

/**
 * Returns (A + λ)⁻¹ x of shared features x at the places of own features, in an array that the next call reuses. Four
 * rows at a time, so that sums are read and written a quarter as often.
 */
function projectedOn(inverse: Float64Array, dimension: number, { count, indices, values }: FeatureList): Float64Array {
  const places = dimension / OWN
  const projected = projection(places).fill(0)
  const ownOf = (i: number) => (indices[i]! + 1) * dimension - places
  for (let i = 0; i < count; i += 4) {
    const [p, q, r, s] = [ownOf(i), ownOf(i + 1), ownOf(i + 2), ownOf(i + 3)]
    const [x, y, z, w] = [values[i]!, values[i + 1]!, values[i + 2]!, values[i + 3]!]
    for (let at = 0; at < places; at++)
      projected[at] =
        projected[at]! + x * inverse[p + at]! + y * inverse[q + at]! + z * inverse[r + at]! + w * inverse[s + at]!
  }
  return projected
}

function meanOf({ coefficients }: LinearModel, { count, indices, values }: FeatureList): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += coefficients[indices[i]!]! * values[i]!
  return sum
}

/** Lookup tables for own features, by place. */
interface Tables {
  /** Coefficients, then the same with the other sign. */
  coefficients: Float64Array
  /** Variances, without the factor `noise`. */
  diagonal: Float64Array
}

/** Tables by model, freed with it. */
const TABLES = new WeakMap<LinearModel, Tables>()

function tablesOf(model: LinearModel): Tables {
  const cached = TABLES.get(model)
  if (cached) return cached
  const { dimension, contentBlock } = model
  const places = dimension / OWN
  const ofOwn = model.coefficients.subarray(dimension - places)
  const tables: Tables = {
    coefficients: Float64Array.from([...ofOwn, ...ofOwn.map(value => -value)]),
    diagonal: Float64Array.from({ length: places }, (_, place) => contentBlock[place * (places + 1)]!),
  }
  TABLES.set(model, tables)
  return tables
}

function contendersOf(means: Float64Array, variances: Float64Array): number[] {
  const { length } = means
  const hope = hopeSpace(length)
  for (let index = 0; index < length; index++) hope[index] = means[index]! + OPTIMISM * Math.sqrt(variances[index]!)
  const least = length > CONTENDERS ? nthLargest(hope, CONTENDERS, length) : Number.NEGATIVE_INFINITY
  const contenders: number[] = []
  for (let index = 0; index < length && contenders.length < CONTENDERS; index++)
    if (!(hope[index]! < least)) contenders.push(index)
  return contenders
}
