import { addToContent, type ContentSums, emptyContentSums } from './content-sums.js'
import { fixedSquare } from './fixed-point.js'
import { addToLinear, emptyLinearSums, type LinearSums, mergeLinearSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'
import { addToStrata, isClosed, mergeContents, mergeStrata, type Strata, setContent } from './stratum-sums.js'

/** All sums of one slot over the outcomes of one epoch. */
export interface EpochSums {
  contents: Map<string, ContentSums>
  linear: LinearSums
  strata: Strata
}

/** Returns empty sums. */
export function emptyEpochSums(): EpochSums {
  return { contents: new Map(), linear: emptyLinearSums(), strata: new Map() }
}

/**
 * Adds an outcome to all sums, or subtracts it.
 *
 * @param sign -1: subtracts what was added before
 *
 * @throws RangeError where a sum would not be exact
 */
export function addToEpoch(sums: EpochSums, outcome: LearningOutcome, sign: 1 | -1): void {
  const { contentId, reward, features } = outcome
  const content = sums.contents.get(contentId) ?? emptyContentSums()
  addToContent(content, outcome, sign)
  setContent(sums.contents, contentId, content)
  if (features) addToLinear(sums.linear, features, reward, fixedSquare(reward), sign)
  addToStrata(sums.strata, outcome, sign)
}

/** Adds the sums of an epoch to those of another. */
export function mergeEpochSums(into: EpochSums, from: EpochSums): void {
  mergeContents(into.contents, from.contents)
  mergeLinearSums(into.linear, from.linear)
  mergeStrata(into.strata, from.strata)
}

/** Tells whether the sums of an epoch are empty, apart from closed strata. */
export function isEmptyEpoch({ contents, linear, strata }: EpochSums): boolean {
  const { matrix, vector, outcomes } = linear
  const hasSums = contents.size > 0 || matrix.size > 0 || vector.size > 0 || outcomes !== 0
  return !hasSums && [...strata.keys()].every(stratum => isClosed(strata, stratum))
}
