import type { SparseVector } from '../sums/linear-sums.js'
import { type ContentFacts, type Facets, facetsOf } from './facets.js'
import { type LearningFacts, MAX_TOKENS, tokensOf } from './tokens.js'

/** Features that the matrix has a row for. Its sums take 2 to 150 KB an epoch, its inverse half a megabyte. */
export const DIMENSION = 256

/** Pairs of tokens that are crossed, at most: those of the first tokens, among which the request's context is. */
const MAX_PAIRS = 15

/** Features of a content for a decision, at most: by itself, for each token and each pair, and its others. */
export const MAX_FEATURES = 2 * (MAX_TOKENS + MAX_PAIRS) + 16

const BIAS = 0x1e3779b9
const POSITION = 0x2545f491
const MATCH = 0x3c6ef372

/** One place in so many is for features of single contents. */
const OWN = 4

/** Weights of features, as whole numbers: the larger, the sooner a feature is believed. */
const COMMON = 2
const OF_CATEGORY = 2
const OF_CONTENT = 1

/** Facts of a decision as its candidates share them: tokens, pairs of them, and interest by category. */
export interface CrossedFacts {
  tokens: number[]
  /** The tokens and their pairs. */
  crossed: number[]
  /** Share of a category in the person's interests, 0–1. */
  shareOf: (category: string) => number
}

/** Features as a list in which a place may come twice: its values add up. Reused, so that scoring allocates nothing. */
export interface FeatureList {
  count: number
  indices: Int32Array
  values: Float64Array
}

/** Returns an empty list of features. */
export function createFeatureList(): FeatureList {
  return { count: 0, indices: new Int32Array(MAX_FEATURES), values: new Float64Array(MAX_FEATURES) }
}

/** Crosses what is known of a person and a request with each other. */
export function crossFacts(facts: LearningFacts): CrossedFacts {
  const tokens = tokensOf(facts)
  const crossed = [...tokens]
  for (let second = 1; second < tokens.length; second++)
    for (let first = 0; first < second && crossed.length < tokens.length + MAX_PAIRS; first++)
      crossed.push(mix(tokens[first]!, tokens[second]!))
  const shares = facts.affinities ?? {}
  const total = Object.values(shares).reduce((sum, value) => sum + value, 0)
  return { tokens, crossed, shareOf: category => (total > 0 ? (shares[category] ?? 0) / total : 0) }
}

/**
 * Writes the features of a content for a decision: what it is, how it matches the person's interests, and what it is for each
 * token and each pair of tokens, each hashed to a place and a sign (Weinberger et al., https://arxiv.org/abs/0902.2206).
 *
 * @param position rank on the page, from 1: what is further down is seen less. The first has no feature of its own
 */
export function writeFeatures(
  list: FeatureList,
  facts: CrossedFacts,
  facets: Facets,
  dimension: number,
  position: number,
): void {
  list.count = 0
  const { id, category, others, categoryName } = facets
  add(list, mix(BIAS, BIAS), COMMON, dimension)
  add(list, mix(category, BIAS), OF_CATEGORY, dimension)
  addOwn(list, mix(id, BIAS), COMMON, dimension)
  if (position > 1) add(list, mix(POSITION, Math.min(position, 8)), COMMON, dimension)
  const match = Math.ceil(4 * facts.shareOf(categoryName))
  if (match > 0) add(list, mix(MATCH, match), COMMON, dimension)
  for (const facet of others) add(list, mix(facet, BIAS), OF_CONTENT, dimension)
  for (const token of facts.crossed) {
    add(list, mix(category, token), OF_CATEGORY, dimension)
    addOwn(list, mix(id, token), OF_CONTENT, dimension)
  }
}

/**
 * Returns the features of a content for a decision, as sums take them.
 *
 * @param dimension a power of two, at least 8. Default: `DIMENSION`
 */
export function featuresOf(
  facts: CrossedFacts,
  content: ContentFacts,
  position: number,
  dimension = DIMENSION,
): SparseVector {
  const list = createFeatureList()
  writeFeatures(list, facts, facetsOf(content), dimension, position)
  const values = new Map<number, number>()
  for (let i = 0; i < list.count; i++)
    values.set(list.indices[i]!, (values.get(list.indices[i]!) ?? 0) + list.values[i]!)
  const indices = [...values.keys()].filter(index => values.get(index) !== 0).sort((a, b) => a - b)
  return { indices, values: indices.map(index => values.get(index)!) }
}

/** Adds what holds for all content or a category: in the first three quarters of the places. */
function add(list: FeatureList, hash: number, weight: number, dimension: number): void {
  list.indices[list.count] = (hash & 0x3fffffff) % (dimension - dimension / OWN)
  list.values[list.count++] = hash < 0 ? -weight : weight
}

/** Adds what holds for one content: there are many more of these, so they collide among themselves, in the last quarter. */
function addOwn(list: FeatureList, hash: number, weight: number, dimension: number): void {
  const places = dimension / OWN
  list.indices[list.count] = dimension - places + (hash & (places - 1))
  list.values[list.count++] = hash < 0 ? -weight : weight
}

/** Mixes two hashes to one, by the finalizer of MurmurHash3. Its sign is the feature's, its low bits its place. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x27d4eb2f, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
