import type { Check } from '../wire/checks/check.js'
import { isCount, isListOf, misfit } from '../wire/checks/parse-stored.js'

/**
 * Of each partition, in order, the revision of a site's features of which all have counted the messages of before, as
 * far as the streams have them. 0, and where the list ends: none.
 */
export type FilledRevisions = readonly number[]

/** Parses a value under a `filledKey`. */
export function parseFilledRevisions(raw: unknown): Check<FilledRevisions> {
  return isListOf(raw, isCount) ? { ok: true, value: raw as number[] } : misfit('it is no list of revisions')
}

/** Returns the revision that counts in all partitions. */
export function filledEverywhere(filled: FilledRevisions, partitions: number): number {
  return filled.length < partitions ? 0 : Math.min(...filled.slice(0, partitions))
}
