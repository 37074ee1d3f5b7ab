import type { ContentSums } from './content-sums.js'
import type { EpochSums } from './epoch-sums.js'
import { type LinearSums, triangleIndex } from './linear-sums.js'
import type { LearningOutcome } from './outcome.js'
import { isClosed, type Strata } from './stratum-sums.js'

/** Memory of one number of a linear sum, in bytes: an entry of a map that is half full at worst. */
const PRODUCT_BYTES = 64

/** Memory of one tally with its bigint, and of a content with its two maps. */
const TALLY_BYTES = 192
const CONTENT_BYTES = 640

/** Memory of a stratum with its two maps. */
const STRATUM_BYTES = 1_024

/** Returns an upper estimate of the memory that the sums of an epoch take, in bytes. */
export function bytesOfEpoch({ contents, linear, strata }: EpochSums): number {
  let bytes = bytesOfLinear(linear) + bytesOfContents(contents)
  for (const stratum of strata.keys()) bytes += bytesOfStratum(strata, stratum)
  return bytes
}

/** Returns the memory that a stratum takes, in bytes; 0 if it is closed. */
export function bytesOfStratum(strata: Strata, stratum: number): number {
  const sums = strata.get(stratum)
  if (!sums || isClosed(strata, stratum)) return 0
  return STRATUM_BYTES + PRODUCT_BYTES * sums.vector.size + bytesOfContents(sums.contents)
}

/** Returns the memory of the parts that one outcome can change, in bytes: compare it before and after. */
export function bytesAround({ contents, linear, strata }: EpochSums, outcome: LearningOutcome): number {
  const { contentId, stratum = 0 } = outcome
  const lossy = isClosed(strata, stratum) ? undefined : strata.get(stratum)
  const ofStratum = lossy
    ? STRATUM_BYTES + PRODUCT_BYTES * lossy.vector.size + bytesOfContent(lossy.contents.get(contentId))
    : 0
  return bytesOfLinear(linear) + bytesOfContent(contents.get(contentId)) + ofStratum
}

/**
 * Tells whether there is already a sum for each product of two features, so that adding the outcome takes no memory.
 */
export function hasProducts({ matrix }: LinearSums, { features }: LearningOutcome): boolean {
  const { indices } = features ?? { indices: [] }
  return indices.every((row, at) => {
    for (let other = 0; other <= at; other++) if (!matrix.has(triangleIndex(row, indices[other]!))) return false
    return true
  })
}

function bytesOfLinear({ matrix, vector }: LinearSums): number {
  return PRODUCT_BYTES * (matrix.size + vector.size)
}

function bytesOfContents(contents: ReadonlyMap<string, ContentSums>): number {
  let bytes = 0
  for (const sums of contents.values()) bytes += bytesOfContent(sums)
  return bytes
}

function bytesOfContent(sums: ContentSums | undefined): number {
  return sums ? CONTENT_BYTES + TALLY_BYTES * (sums.positions.size + sums.segments.size) : 0
}
