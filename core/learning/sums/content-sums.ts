import { hash32 } from '@slotstream/protocol'
import { addExactly, fixedSquare } from './fixed-point.js'
import type { LearningOutcome } from './outcome.js'

/** Number of positions that are counted separately; the last one includes all below it. */
export const POSITIONS = 8

/** Number of buckets that segments are hashed to. Segments in one bucket are not distinguished; no name is kept. */
export const SEGMENT_BUCKETS = 64

/** Views, and the sums of their rewards and of the squares of these, in units of `REWARD_SCALE`. */
export type Tally = readonly [views: number, rewards: number, squares: bigint]

/** The tally before the first view. */
export const NO_VIEWS: Tally = [0, 0, 0n]

/** Tells whether a tally is empty. */
export function isNothing([views, rewards, squares]: Tally): boolean {
  return views === 0 && rewards === 0 && squares === 0n
}

/** Sums of one content. Empty tallies are not stored, so that equal sums have equal maps. */
export interface ContentSums {
  /** By position, from 0 for the first. */
  positions: Map<number, Tally>
  /** By bucket of the segment: a view counts in each segment of its person. */
  segments: Map<number, Tally>
}

/** Returns empty sums. */
export function emptyContentSums(): ContentSums {
  return { positions: new Map(), segments: new Map() }
}

/** Returns the bucket of a segment, from 0. */
export function bucketOfSegment(name: string): number {
  return hash32(name) % SEGMENT_BUCKETS
}

/**
 * Adds an outcome, or subtracts it.
 *
 * @param sign -1: subtracts what was added before
 * @throws RangeError where a sum would not be exact
 */
export function addToContent(sums: ContentSums, outcome: LearningOutcome, sign: 1 | -1): void {
  const { position, reward, segments } = outcome
  const tally: Tally = [sign, sign * reward, BigInt(sign) * fixedSquare(reward)]
  addTally(sums.positions, Math.min(position, POSITIONS) - 1, tally)
  for (const bucket of new Set(segments.map(bucketOfSegment))) addTally(sums.segments, bucket, tally)
}

/** Adds sums of the same content to others. */
export function mergeContentSums(into: ContentSums, from: ContentSums): void {
  for (const [position, tally] of from.positions) addTally(into.positions, position, tally)
  for (const [bucket, tally] of from.segments) addTally(into.segments, bucket, tally)
}

/**
 * Tells whether sums are possible ones. Where records were lost, removals may leave less than nothing; such sums are
 * not learned from.
 */
export function isSound({ positions, segments }: Record<'positions' | 'segments', ReadonlyMap<number, AnyTally>>) {
  for (const tallies of [positions, segments])
    for (const [views, , squares] of tallies.values()) if (!(views > 0 && squares >= 0)) return false
  return positions.size > 0
}

type AnyTally = readonly [views: number, rewards: number, squares: number | bigint]

/** Tells whether the sums of a content are empty. */
export function isEmptyContent({ positions, segments }: ContentSums): boolean {
  return positions.size === 0 && segments.size === 0
}

function addTally(tallies: Map<number, Tally>, key: number, [views, rewards, squares]: Tally): void {
  const [hadViews, hadRewards, hadSquares] = tallies.get(key) ?? NO_VIEWS
  const sum: Tally = [addExactly(hadViews, views), addExactly(hadRewards, rewards), hadSquares + squares]
  if (isNothing(sum)) tallies.delete(key)
  else tallies.set(key, sum)
}
