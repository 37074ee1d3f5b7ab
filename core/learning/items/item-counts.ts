import { hash32 } from '@slotstream/protocol'
import { addExactly } from '../sums/fixed-point.js'

/** Items of one browser that are counted, at most: their pairs grow with the square. */
export const MAX_ITEMS_PER_BROWSER = 100

/** Number of browsers that interacted with each item, and with each pair. Zeros are not stored. */
export interface ItemCounts {
  items: Map<string, number>
  /** By `pairKey`. */
  pairs: Map<string, number>
}

/** Returns empty counts. */
export function emptyItemCounts(): ItemCounts {
  return { items: new Map(), pairs: new Map() }
}

/** Returns the items of a browser that are counted: those with the smallest hashes, independent of their order. */
export function boundedItems(items: Iterable<string>): string[] {
  const distinct = [...new Set(items)].map(id => ({ id, hash: hash32(id) }))
  distinct.sort((a, b) => a.hash - b.hash || (a.id < b.id ? -1 : 1))
  return distinct.slice(0, MAX_ITEMS_PER_BROWSER).map(({ id }) => id)
}

/**
 * Adds the items of a browser, or subtracts them. A browser whose items change is subtracted as it was and added as it
 * is.
 *
 * @throws RangeError where a sum would not be exact
 */
export function addItems(counts: ItemCounts, items: Iterable<string>, sign: 1 | -1): void {
  const ids = boundedItems(items).sort()
  for (const [index, id] of ids.entries()) {
    addAt(counts.items, id, sign)
    for (let other = 0; other < index; other++) addAt(counts.pairs, pairKey(ids[other]!, id), sign)
  }
}

/** Adds counts to others. */
export function mergeItemCounts(into: ItemCounts, from: ItemCounts): void {
  for (const [id, count] of from.items) addAt(into.items, id, count)
  for (const [key, count] of from.pairs) addAt(into.pairs, key, count)
}

/** Returns the key of two items, of which the first is the smaller text. No id holds NUL. */
export function pairKey(first: string, second: string): string {
  return `${first}\0${second}`
}

function addAt(counts: Map<string, number>, key: string, value: number): void {
  const sum = addExactly(counts.get(key) ?? 0, value)
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}
