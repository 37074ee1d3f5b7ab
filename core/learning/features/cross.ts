import { PADDING } from '../../algebra/sparse-quadratic.js'
import { createWorkspace } from '../../algebra/workspace.js'
import type { SparseVector } from '../sums/linear-sums.js'
import { type ContentFacts, type Facets, facetsOf } from './facets.js'
import { interestShares } from './interest.js'
import { type LearningFacts, MAX_TOKENS, tokensOf } from './tokens.js'

/** Number of hashed features (places). The sums take 2 to 150 KB per epoch, the inverse matrix half a megabyte. */
export const DIMENSION = 256

/** Pairs of tokens that are crossed, at most: those of the first tokens, where the request's context is. */
const MAX_PAIRS = 15

/** Features of a content for a decision, at most: its own, one per token and pair, and its other facets. */
export const MAX_FEATURES = 2 * (MAX_TOKENS + MAX_PAIRS) + 16

const BIAS = 0x1e3779b9
const POSITION = 0x2545f491
const MATCH = 0x3c6ef372

/**
 * The last 1 / OWN of the places is for features of single contents ("own features"). There are many more of them, so
 * they only collide with each other.
 */
export const OWN = 4

/** Values of features: the larger, the less the penalty shrinks their coefficient. */
const COMMON = 2
const OF_CATEGORY = 2
const OF_CONTENT = 1

/** Facts of a decision that all candidates share: tokens, pairs of tokens, and interest by category. */
export interface CrossedFacts {
  tokens: number[]
  /** Tokens and pairs, already multiplied as the second argument of `mix`. */
  crossed: Int32Array
  /** Share of a category in the person's interests, 0–1. */
  shareOf: (category: string) => number
}

/** A list of features. Values of a repeated place add up. Lists are reused, so that scoring allocates nothing. */
export interface FeatureList {
  count: number
  indices: Int32Array
  values: Float64Array
}

/** Returns an empty list of features. */
export function createFeatureList(): FeatureList {
  const most = MAX_FEATURES + PADDING
  return { count: 0, indices: new Int32Array(most), values: new Float64Array(most) }
}

/** Returns the tokens of a person and a request, and the pairs of tokens. */
export function crossFacts(facts: LearningFacts): CrossedFacts {
  const tokens = tokensOf(facts)
  const crossed = tokens.slice()
  for (let second = 1; second < tokens.length; second++)
    for (let first = 0; first < second && crossed.length < tokens.length + MAX_PAIRS; first++)
      crossed.push(mix(tokens[first]!, tokens[second]!))
  return {
    tokens,
    crossed: Int32Array.from(crossed.map(secondHalf)),
    shareOf: interestShares(facts.affinities),
  }
}

/**
 * Writes the features that all contents of a category share: the category, its match with the person's interests, and
 * its crosses with each token and pair of tokens. Each is hashed to a place and a sign (Weinberger et al. 2009,
 * https://arxiv.org/abs/0902.2206).
 */
export function writeShared(list: FeatureList, facts: CrossedFacts, facets: Facets, dimension: number): void {
  const { category, categoryName } = facets
  const places = dimension - dimension / OWN
  list.count = 0
  add(list, mix(BIAS, BIAS), COMMON, 0, places)
  add(list, mix(category, BIAS), OF_CATEGORY, 0, places)
  const match = Math.ceil(4 * facts.shareOf(categoryName))
  if (match > 0) add(list, mix(MATCH, match), COMMON, 0, places)
  const half = firstHalf(category)
  for (const token of facts.crossed) add(list, finish(half ^ token), OF_CATEGORY, 0, places)
}

/**
 * Writes the own features of a content, which are in the last 1 / OWN of the places.
 *
 * @param from offset of the places that are written. Default: the first of the last 1 / OWN
 */
export function writeOwn(
  list: FeatureList,
  { crossed }: CrossedFacts,
  { id, others }: Facets,
  dimension: number,
  from = dimension - dimension / OWN,
): void {
  const places = dimension / OWN
  list.count = 0
  add(list, mix(id, BIAS), COMMON, from, places)
  for (let at = 0; at < others.length; at++) add(list, mix(others[at]!, BIAS), OF_CONTENT, from, places)
  const { indices, values } = list
  const half = firstHalf(id)
  let { count } = list
  for (let at = 0; at < crossed.length; at++) {
    const hash = finish(half ^ crossed[at]!)
    // Like `add` for a power of two of places, without a branch that would be mispredicted half of the time.
    indices[count] = from + (hash & (places - 1))
    values[count++] = ((hash >> 31) | 1) * OF_CONTENT
  }
  list.count = count
}

/**
 * Computes two sums over the own features x of a content without writing them to a list. It is done for each content of
 * a decision, and takes most of its time.
 *
 * @param sums gets Σ c x and Σ d x²
 * @param c coefficients by own place, then the same negated: looking up the sign is faster than branching on it
 * @param d by own place; the length is a power of two
 */
export function sumOwn(
  sums: { linear: number; square: number },
  { crossed }: CrossedFacts,
  { id, others }: Facets,
  c: Float64Array,
  d: Float64Array,
): void {
  const places = d.length
  const half = firstHalf(id)
  const first = mix(id, BIAS)
  const place = first & (places - 1)
  let linear = c[place + (first >>> 31) * places]! * COMMON
  let square = d[place]! * COMMON * COMMON
  for (let at = 0; at < others.length; at++) {
    const hash = mix(others[at]!, BIAS)
    const place = hash & (places - 1)
    linear += c[place + (hash >>> 31) * places]!
    square += d[place]!
  }
  for (let at = 0; at < crossed.length; at++) {
    const hash = finish(half ^ crossed[at]!)
    const place = hash & (places - 1)
    linear += c[place + (hash >>> 31) * places]!
    square += d[place]!
  }
  sums.linear = linear
  sums.square = square
}

const ofOneContent = createFeatureList()
const dense = createWorkspace()

/**
 * Returns the features of a content for a decision as a sparse vector, as sums are updated by.
 *
 * @param position rank on the page, from 1: lower ranks are seen less. The first has no feature
 * @param dimension a power of two, at least 8. Default: `DIMENSION`
 */
export function featuresOf(
  facts: CrossedFacts,
  content: ContentFacts,
  position: number,
  dimension = DIMENSION,
): SparseVector {
  const list = ofOneContent
  const facets = facetsOf(content)
  const sums = dense(dimension).fill(0)
  const addAll = () => {
    for (let i = 0; i < list.count; i++) sums[list.indices[i]!] = sums[list.indices[i]!]! + list.values[i]!
  }
  writeShared(list, facts, facets, dimension)
  if (position > 1) add(list, mix(POSITION, Math.min(position, 8)), COMMON, 0, dimension - dimension / OWN)
  addAll()
  writeOwn(list, facts, facets, dimension)
  addAll()
  const vector: { indices: number[]; values: number[] } = { indices: [], values: [] }
  for (let index = 0; index < dimension; index++) {
    if (sums[index] === 0) continue
    vector.indices.push(index)
    vector.values.push(sums[index]!)
  }
  return vector
}

function add(list: FeatureList, hash: number, weight: number, from: number, places: number): void {
  list.indices[list.count] = from + ((hash & 0x3fffffff) % places)
  list.values[list.count++] = hash < 0 ? -weight : weight
}

/** Mixes two hashes by the finalizer of MurmurHash3. The sign bit gives the feature's sign, the low bits its place. */
function mix(a: number, b: number): number {
  return finish(firstHalf(a) ^ secondHalf(b))
}

// The halves of `mix` are computed once per content and once per token: crossing takes most of a prediction.
function firstHalf(a: number): number {
  return Math.imul(a ^ 0x27d4eb2f, 0x85ebca6b)
}

function secondHalf(b: number): number {
  return Math.imul(b + 0x165667b1, 0xc2b2ae35)
}

function finish(mixed: number): number {
  let h = mixed
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
