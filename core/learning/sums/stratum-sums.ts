import { addToContent, type ContentSums, emptyContentSums, isEmptyContent, mergeContentSums } from './content-sums.js'
import { fixedSquare } from './fixed-point.js'
import { addToRewards, mergeRewards, type RewardSums } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'

/**
 * Sums over the outcomes of one stratum of losses that earned something. These outcomes are also in the sums over all
 * strata; the correction for losses is added when a model is fitted. So nothing is stored where nothing is lost.
 */
export interface StratumSums extends RewardSums {
  contents: Map<string, ContentSums>
}

/**
 * Sums by stratum, for strata above 0 in which something was earned. Empty sums mark a closed stratum: memory was full,
 * so all its sums were dropped, and additions and removals are ignored. All other strata stay exact.
 */
export type Strata = Map<number, StratumSums>

/** Adds the reward of an outcome to its stratum, or subtracts it. Closed strata are left alone. */
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

/** Tells whether a stratum is closed, see `Strata`. */
export function isClosed(strata: Strata, stratum: number): boolean {
  const sums = strata.get(stratum)
  return sums !== undefined && isEmpty(sums)
}

/** Closes a stratum: drops all its sums. */
export function closeStratum(strata: Strata, stratum: number): void {
  strata.set(stratum, noRewards())
}

/** Adds strata to others. A stratum that is closed in one of them is closed in the result. */
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

/** Sets the sums of a content; removes the content if they are empty. */
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
