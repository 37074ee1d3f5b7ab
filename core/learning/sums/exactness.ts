import { bucketOfSegment, type ContentSums, NO_VIEWS, POSITIONS, type Tally } from './content-sums.js'
import type { EpochSums } from './epoch-sums.js'
import type { LinearSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'

/** Outcomes over which sums of products of two features up to 1,024 are exact. */
const MAX_OUTCOMES = 2 ** 32

/**
 * Whether all sums of an epoch stay exact with one more outcome, or without it: asked before anything is added, so that
 * an outcome is in all sums or in none.
 */
export function staysExact({ contents, linear }: EpochSums, outcome: LearningOutcome, sign: 1 | -1): boolean {
  const { contentId, position, reward, segments, features } = outcome
  const tally: Tally = [sign, sign * reward, 0n]
  const content = contents.get(contentId)
  const areExact =
    isExactTally(content?.positions.get(Math.min(position, POSITIONS) - 1), tally) &&
    segments.every(segment => isExactTally(content?.segments.get(bucketOfSegment(segment)), tally))
  if (!areExact || !features) return areExact
  const { indices, values } = features
  return (
    Math.abs(linear.outcomes) < MAX_OUTCOMES &&
    indices.every((index, at) => isExact((linear.vector.get(index) ?? 0) + sign * values[at]! * reward))
  )
}

/** Whether the sums of two epochs are exact together. */
export function mergesExactly(into: EpochSums, from: EpochSums): boolean {
  for (const [id, sums] of from.contents) if (!contentMerges(into.contents.get(id), sums)) return false
  return linearMerges(into.linear, from.linear)
}

function contentMerges(into: ContentSums | undefined, { positions, segments }: ContentSums): boolean {
  if (!into) return true
  for (const [position, tally] of positions) if (!isExactTally(into.positions.get(position), tally)) return false
  for (const [bucket, tally] of segments) if (!isExactTally(into.segments.get(bucket), tally)) return false
  return true
}

function linearMerges(into: LinearSums, from: LinearSums): boolean {
  for (const [index, value] of from.matrix) if (!isExact((into.matrix.get(index) ?? 0) + value)) return false
  for (const [index, value] of from.vector) if (!isExact((into.vector.get(index) ?? 0) + value)) return false
  return isExact(into.outcomes + from.outcomes)
}

/** Sums of squares are wide, and so are always exact. */
function isExactTally([hadViews, hadRewards]: Tally = NO_VIEWS, [views, rewards]: Tally): boolean {
  return isExact(hadViews + views) && isExact(hadRewards + rewards)
}

function isExact(sum: number): boolean {
  return Number.isSafeInteger(sum)
}
