import type { FeatureRow } from '@slotstream/protocol'
import { addExact, type ExactSum } from '../input/exact-sum.js'
import { keyOfScalar, type Scalar, scalarOfKey } from '../input/scalar.js'
import { boundKeys, mergePairs, putValue, shownPairs, valueAt } from '../state/pairs.js'
import type { Aggregate } from './aggregate.js'

/**
 * Values that are counted each, at most. Beyond it those of the smallest hashes stay, and the result is approximate.
 */
export const MAX_COUNTED = 100

/** Values of a list, at most: those of the smallest hashes. */
export const MAX_LISTED = 100

/** Values that `topK` returns. */
export const TOP = 10

/** Counts by key of the value, see `keyOfScalar`. */
type Counts = (string | FeatureRow)[]

const counts: Pick<Aggregate<Counts>, 'add' | 'merge'> = {
  add(row, { value }) {
    const next = row ? row.slice() : []
    const key = keyOfScalar(value)
    putValue(next, key, addExact(valueAt<ExactSum>(next, key) ?? 0, 1))
    boundKeys(next, MAX_COUNTED)
    return next
  },
  merge(a, b) {
    const merged = mergePairs<ExactSum>(a, b, addExact) as Counts
    boundKeys(merged, MAX_COUNTED)
    return merged
  },
}

/** The most frequent value; of several, the least by code units. */
export const mode: Aggregate<Counts> = { ...counts, value: row => best(row, 1)[0] ?? null }

/** The most frequent values, the most frequent first. */
export const topK: Aggregate<Counts> = { ...counts, value: row => best(row, TOP) }

function best(row: Counts = [], most: number): Scalar[] {
  const counted: { key: string; times: number }[] = []
  const shown = shownPairs(row, MAX_COUNTED)
  for (let place = 0; place < shown.length; place += 2)
    counted.push({ key: shown[place] as string, times: Number(shown[place + 1]) })
  // The rows are in the order of the keys, and sorting is stable.
  counted.sort((a, b) => b.times - a.times)
  return counted.slice(0, most).map(({ key }) => scalarOfKey(key))
}

/** All different values, sorted by their keys. */
export const unique: Aggregate<Counts> = {
  add(row, { value }) {
    const key = keyOfScalar(value)
    if (row && valueAt(row, key) !== undefined) return row
    const next = row ? row.slice() : []
    putValue(next, key, 1)
    boundKeys(next, MAX_LISTED)
    return next
  },
  merge(a, b) {
    const merged = mergePairs<number>(a, b, value => value) as Counts
    boundKeys(merged, MAX_LISTED)
    return merged
  },
  value: row =>
    shownPairs(row ?? [], MAX_LISTED)
      .filter((_, place) => place % 2 === 0)
      .map(key => scalarOfKey(key as string)),
}
