import { type FeatureRow, hash32 } from '@slotstream/protocol'
import type { Aggregate } from '../aggregates/aggregate.js'
import { AGGREGATE_BY_NAME } from '../aggregates/aggregates.js'
import { MAX_CHANGES } from '../aggregates/cart.js'
import { compacted, folded, REGISTER_BITS } from '../aggregates/distinct.js'
import { MAX_RECENT } from '../aggregates/recent.js'

/** Returns what is left of a row after so many halvings; the row itself where that is all of it. */
type NarrowRow = (row: never, halvings: number) => FeatureRow

/** Least registers of a sketch, as a power of two: its standard error is 26 %. */
const LEAST_BITS = 4

const { unique, mode, topK, recent, cart, distinct } = AGGREGATE_BY_NAME

/**
 * Lists can be narrowed; numbers, and single values, can't. Each is narrowed so that adding and merging go on as if the
 * bound had been there from the start.
 */
const NARROW_BY_AGGREGATE: ReadonlyMap<unknown, NarrowRow> = new Map<unknown, NarrowRow>([
  ...[unique, mode, topK].map(aggregate => [aggregate, narrowPairs] as const),
  [recent, (row: FeatureRow[], halvings) => first(row, 2 * atLeastOne(MAX_RECENT, halvings))],
  [cart, narrowCart],
  [distinct, narrowDistinct],
])

/** Returns how rows of an aggregate are narrowed; undefined: they are not. */
export function narrowingOf(aggregate: Aggregate): ((row: FeatureRow, halvings: number) => FeatureRow) | undefined {
  return NARROW_BY_AGGREGATE.get(aggregate) as ((row: FeatureRow, halvings: number) => FeatureRow) | undefined
}

/**
 * Returns the pairs of the keys that are left after so many halvings: those whose hash begins with as many zeros. So it
 * depends on the key alone whether it stays, and what stays is complete. `pairs` themselves where all do.
 */
export function narrowPairs<Entry>(pairs: readonly Entry[], halvings: number): Entry[] {
  const left: Entry[] = []
  for (let place = 0; place < pairs.length; place += 2)
    if (Math.clz32(hash32(pairs[place] as string)) >= halvings) left.push(pairs[place]!, pairs[place + 1]!)
  return left.length === pairs.length ? (pairs as Entry[]) : left
}

function narrowCart(row: [emptiedAt: number, changes: FeatureRow[]], halvings: number): FeatureRow {
  const most = atLeastOne(MAX_CHANGES, halvings)
  return row[1].length <= most ? row : [row[0], row[1].slice(-most)]
}

function narrowDistinct(row: number[] | string, halvings: number): FeatureRow {
  const bits = Math.max(LEAST_BITS, REGISTER_BITS - halvings)
  return typeof row === 'string' ? folded(row, bits) : compacted(row, bits)
}

function atLeastOne(most: number, halvings: number): number {
  return Math.max(1, most >> halvings)
}

function first(row: FeatureRow[], most: number): FeatureRow[] {
  return row.length <= most ? row : row.slice(0, most)
}
