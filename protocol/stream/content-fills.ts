import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isAbsentOr, isCount, misfit } from '../wire/checks/parse-stored.js'

/** A fill of a feature of content in one partition: it adds what the messages of a range of sequences add, once. */
export interface ContentFill {
  /** Sequence after which it begins: what came up to it is in the sums. */
  from: number
  /** Sequence with which it ends. What comes after it is counted as it comes. */
  through: number
  /** Absent: it may be unfinished, and is done again as it was begun. */
  isDone?: true
}

/** The latest fills of a site's features of content in one partition, by version. */
export type ContentFills = Record<string, ContentFill>

/** Tells whether a message of a sequence is of a fill's range. */
export function isInFill({ from, through }: ContentFill, seq: number): boolean {
  return seq > from && seq <= through
}

/** Returns the key of a site's `ContentFills` in the bucket `meta`: of each partition apart, which its owner writes. */
export function contentFillsKey(siteId: string, partition: number): string {
  return `contents.${siteId}.${partition}`
}

/** Parses a value under a `contentFillsKey`. */
export function parseContentFills(raw: unknown): Check<ContentFills> {
  const isFill = (fill: unknown) =>
    isObject(fill) && isCount(fill.from) && isCount(fill.through) && isAbsentOr(fill.isDone, isDone => isDone === true)
  if (!isObject(raw) || !Object.values(raw).every(isFill)) return misfit('it is no list of fills')
  return { ok: true, value: raw as ContentFills }
}
