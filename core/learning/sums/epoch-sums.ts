import { addToContent, type ContentSums, emptyContentSums, isEmptyContent, mergeContentSums } from './content-sums.js'
import { fixedSquare } from './fixed-point.js'
import { addToLinear, emptyLinearSums, type LinearSums, mergeLinearSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'

/** All sums of one slot over the outcomes of one epoch. */
export interface EpochSums {
  contents: Map<string, ContentSums>
  linear: LinearSums
}

/** Returns the sums of an epoch without outcomes. */
export function emptyEpochSums(): EpochSums {
  return { contents: new Map(), linear: emptyLinearSums() }
}

/**
 * Adds an outcome to all sums, or takes it away.
 *
 * @throws RangeError where a sum would not be exact
 */
export function addToEpoch(sums: EpochSums, outcome: LearningOutcome, sign: 1 | -1): void {
  const { contentId, reward, features } = outcome
  const content = sums.contents.get(contentId) ?? emptyContentSums()
  addToContent(content, outcome, sign)
  setContent(sums, contentId, content)
  if (features) addToLinear(sums.linear, features, reward, fixedSquare(reward), sign)
}

/** Adds the sums of an epoch to those of another. */
export function mergeEpochSums(into: EpochSums, from: EpochSums): void {
  for (const [contentId, sums] of from.contents) {
    const content = into.contents.get(contentId) ?? emptyContentSums()
    mergeContentSums(content, sums)
    setContent(into, contentId, content)
  }
  mergeLinearSums(into.linear, from.linear)
}

/** Whether nothing is left of an epoch. */
export function isEmptyEpoch({ contents, linear }: EpochSums): boolean {
  return contents.size === 0 && linear.matrix.size === 0 && linear.vector.size === 0 && linear.outcomes === 0
}

function setContent(sums: EpochSums, contentId: string, content: ContentSums): void {
  if (isEmptyContent(content)) sums.contents.delete(contentId)
  else sums.contents.set(contentId, content)
}
