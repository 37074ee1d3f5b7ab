import { addToContent, type ContentSums, emptyContentSums, isEmptyContent, mergeContentSums } from './content-sums.js'
import { fixedSquare } from './fixed-point.js'
import { addToRewards, mergeRewards, type RewardSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'

/**
 * What outcomes of one stratum of losses have earned: those that earned something alone, once more beside the sums over
 * all of them. So nothing is kept where nothing is lost, and what was lost is added when a model is read.
 */
export interface StratumSums extends RewardSums {
  contents: Map<string, ContentSums>
}

/**
 * Sums by stratum, of those above 0 in which something was earned. Empty sums are of a stratum that is closed: there
 * was no room, so all that it had was left out, and so is what comes or is taken away. What is left is exact.
 */
export type Strata = Map<number, StratumSums>

/** Adds what an outcome has earned to its stratum, or takes it away. */
export function addToStrata(strata: Strata, outcome: LearningOutcome, sign: 1 | -1): void {
  const { contentId, reward, stratum = 0, features } = outcome
  if (stratum === 0 || reward === 0) return
  if (isClosed(strata, stratum)) return
  const sums = strata.get(stratum) ?? noRewards()
  const content = sums.contents.get(contentId) ?? emptyContentSums()
  addToContent(content, outcome, sign)
  setContent(sums.contents, contentId, content)
  if (features) addToRewards(sums, features, reward, fixedSquare(reward), sign)
  setStratum(strata, stratum, sums)
}

/** Tells whether a stratum is left out. */
export function isClosed(strata: Strata, stratum: number): boolean {
  const sums = strata.get(stratum)
  return sums !== undefined && isEmpty(sums)
}

/** Leaves a stratum out from now on, with all that it has. */
export function closeStratum(strata: Strata, stratum: number): void {
  strata.set(stratum, noRewards())
}

/** Adds sums of strata to those of others. A stratum that one of them left out is left out of all. */
export function mergeStrata(into: Strata, from: Strata): void {
  for (const [stratum, sums] of from) {
    if (isEmpty(sums)) closeStratum(into, stratum)
    if (isClosed(into, stratum)) continue
    const merged = into.get(stratum) ?? noRewards()
    mergeContents(merged.contents, sums.contents)
    mergeRewards(merged, sums)
    setStratum(into, stratum, merged)
  }
}

/** Adds sums per content to others. */
export function mergeContents(into: Map<string, ContentSums>, from: ReadonlyMap<string, ContentSums>): void {
  for (const [contentId, sums] of from) {
    const content = into.get(contentId) ?? emptyContentSums()
    mergeContentSums(content, sums)
    setContent(into, contentId, content)
  }
}

/** Puts the sums of a content, or leaves it out where nothing is in them. */
export function setContent(contents: Map<string, ContentSums>, contentId: string, content: ContentSums): void {
  if (isEmptyContent(content)) contents.delete(contentId)
  else contents.set(contentId, content)
}

function noRewards(): StratumSums {
  return { contents: new Map(), vector: new Map(), squares: 0n }
}

function isEmpty({ contents, vector, squares }: StratumSums): boolean {
  return contents.size === 0 && vector.size === 0 && squares === 0n
}

function setStratum(strata: Strata, stratum: number, sums: StratumSums): void {
  if (isEmpty(sums)) strata.delete(stratum)
  else strata.set(stratum, sums)
}
