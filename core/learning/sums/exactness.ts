import { bucketOfSegment, type ContentSums, NO_VIEWS, POSITIONS, type Tally } from './content-sums.js'
import type { EpochSums } from './epoch-sums.js'
import type { LinearSums, RewardSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'

/** Outcomes for which sums of products of two features up to 1,024 are exact, at least. */
const MAX_OUTCOMES = 2 ** 32

/**
 * Tells whether all sums of an epoch stay exact when an outcome is added or subtracted. To be checked before, so that
 * an outcome is in all sums or in none.
 */
export function staysExact({ contents, linear, strata }: EpochSums, outcome: LearningOutcome, sign: 1 | -1): boolean {
  const { stratum = 0, reward, features } = outcome
  const ofStratum = reward !== 0 ? strata.get(stratum) : undefined
  return (
    contentStays(contents, outcome, sign) &&
    (!features || (Math.abs(linear.outcomes) < MAX_OUTCOMES && rewardsStay(linear, outcome, sign))) &&
    (!ofStratum || (contentStays(ofStratum.contents, outcome, sign) && rewardsStay(ofStratum, outcome, sign)))
  )
}

function contentStays(contents: ReadonlyMap<string, ContentSums>, outcome: LearningOutcome, sign: 1 | -1): boolean {
  const { contentId, position, reward, segments } = outcome
  const tally: Tally = [sign, sign * reward, 0n]
  const content = contents.get(contentId)
  return (
    isExactTally(content?.positions.get(Math.min(position, POSITIONS) - 1), tally) &&
    segments.every(segment => isExactTally(content?.segments.get(bucketOfSegment(segment)), tally))
  )
}

function rewardsStay({ vector }: RewardSums, { reward, features }: LearningOutcome, sign: 1 | -1): boolean {
  const { indices, values } = features ?? { indices: [], values: [] }
  return indices.every((index, at) => isExact((vector.get(index) ?? 0) + sign * values[at]! * reward))
}

/** Tells whether the merged sums of two epochs are exact. */
export function mergesExactly(into: EpochSums, from: EpochSums): boolean {
  if (!contentsMerge(into.contents, from.contents) || !linearMerges(into.linear, from.linear)) return false
  for (const [stratum, sums] of from.strata) {
    const existing = into.strata.get(stratum)
    if (existing && !(contentsMerge(existing.contents, sums.contents) && numbersMerge(existing.vector, sums.vector)))
      return false
  }
  return true
}

function contentsMerge(into: ReadonlyMap<string, ContentSums>, from: ReadonlyMap<string, ContentSums>): boolean {
  for (const [id, sums] of from) if (!contentMerges(into.get(id), sums)) return false
  return true
}

function contentMerges(into: ContentSums | undefined, { positions, segments }: ContentSums): boolean {
  if (!into) return true
  for (const [position, tally] of positions) if (!isExactTally(into.positions.get(position), tally)) return false
  for (const [bucket, tally] of segments) if (!isExactTally(into.segments.get(bucket), tally)) return false
  return true
}

function linearMerges(into: LinearSums, from: LinearSums): boolean {
  return (
    numbersMerge(into.matrix, from.matrix) &&
    numbersMerge(into.vector, from.vector) &&
    isExact(into.outcomes + from.outcomes)
  )
}

function numbersMerge(into: ReadonlyMap<number, number>, from: ReadonlyMap<number, number>): boolean {
  for (const [index, value] of from) if (!isExact((into.get(index) ?? 0) + value)) return false
  return true
}

/** Tells whether the sum of two tallies is exact. Squares are bigints, which always are. */
function isExactTally([hadViews, hadRewards]: Tally = NO_VIEWS, [views, rewards]: Tally): boolean {
  return isExact(hadViews + views) && isExact(hadRewards + rewards)
}

function isExact(sum: number): boolean {
  return Number.isSafeInteger(sum)
}
