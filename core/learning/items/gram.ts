import type { ItemCounts } from './item-counts.js'

/** Items of a model, at most: a fit takes time with the third power, and memory with the second. */
export const MAX_MODEL_ITEMS = 2_000

/** Counts of items and pairs as a square matrix XᵀX: the diagonal has the browsers with an item. */
export interface Gram {
  /** Number of each item, from 0. */
  ids: Map<string, number>
  size: number
  /** Row by row, symmetric. */
  counts: Float64Array
}

/** Returns the matrix of the `MAX_MODEL_ITEMS` most frequent items; of ties, the smaller ids. */
export function gramOf({ items, pairs }: ItemCounts): Gram {
  const frequent = [...items].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, MAX_MODEL_ITEMS)
  const ids = new Map(frequent.map(([id], index) => [id, index]))
  const size = frequent.length
  const counts = new Float64Array(size * size)
  for (const [index, [, count]] of frequent.entries()) counts[index * (size + 1)] = count
  for (const [key, count] of pairs) {
    const split = key.indexOf('\0')
    const first = ids.get(key.slice(0, split))
    const second = ids.get(key.slice(split + 1))
    if (first === undefined || second === undefined) continue
    counts[first * size + second] = count
    counts[second * size + first] = count
  }
  return { ids, size, counts }
}

/** Returns the matrix of users' items, each a list of item numbers without repeats. */
export function gramOfUsers(users: Iterable<readonly number[]>, ids: Map<string, number>): Gram {
  const gram = emptyGram(ids)
  for (const items of users) addToGram(gram, items)
  return gram
}

/** Returns the counts before the first user. @param ids numbers of the items, from 0 on */
export function emptyGram(ids: Map<string, number>): Gram {
  return { ids, size: ids.size, counts: new Float64Array(ids.size ** 2) }
}

/** Adds a user's items. @param items numbers without repeats */
export function addToGram({ size, counts }: Gram, items: readonly number[]): void {
  for (const item of items) {
    const row = item * size
    for (const other of items) counts[row + other]!++
  }
}
