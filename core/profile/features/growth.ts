import { AGGREGATE_BY_NAME } from '../../features/aggregates/aggregates.js'
import type { Feature, Rule } from '../../features/feature.js'

/** Bytes of a text that a message adds, at most: 256 characters, and what is around them, as `memoryOf` counts. */
const TEXT = 560

/** Bytes that one value adds at most beside texts: a new feature, slot, key and row. */
const REST = 640

/** Bytes of a session that a message begins, without its features. */
const SESSION = 1_024

/** Bytes that one more key or value of a list adds, at most: to a row of the largest kind. */
export const LISTED_GROWTH = REST + 3 * TEXT

const { first, last, cart, recent, unique, mode, topK } = AGGREGATE_BY_NAME

/** Texts that one value adds to a row, at most; none where it is not listed here. */
const TEXTS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ...[first, last, cart].map(aggregate => [aggregate, 2] as const),
  ...[recent, unique, mode, topK].map(aggregate => [aggregate, 1] as const),
])

const growths = new WeakMap<readonly Rule[], number>()

/** Returns the bytes that a message adds at most to features that have these rules, but for what its lists add. */
export function mostGrowth(rules: readonly Rule[]): number {
  const remembered = growths.get(rules)
  if (remembered !== undefined) return remembered
  const growth = rules.reduce((bytes, { feature }) => bytes + growthOf(feature), SESSION)
  growths.set(rules, growth)
  return growth
}

function growthOf({ aggregate, readKeys }: Feature): number {
  return REST + TEXT * ((TEXTS.get(aggregate) ?? 0) + (readKeys ? 1 : 0))
}
