import { hash32 } from '@slotstream/protocol'

// Sorted maps as one list: key, value, key, value … As JSON it is small, and equal maps are equal texts.

/** Returns the place of a key, or `-1 - place` where it would be. */
function findKey<Key extends string | number>(pairs: readonly unknown[], key: Key): number {
  let low = 0
  let high = pairs.length >> 1
  // Most lookups are of the greatest key: the present slot of time, or the only key.
  if (high > 0) {
    const last = pairs[2 * high - 2] as Key
    if (last === key) return 2 * high - 2
    if (last < key) return -1 - 2 * high
  }
  while (low < high) {
    const middle = (low + high) >> 1
    const middleKey = pairs[2 * middle] as Key
    if (middleKey === key) return 2 * middle
    if (middleKey < key) low = middle + 1
    else high = middle
  }
  return -1 - 2 * low
}

/** Returns the value of a key. */
export function valueAt<Value>(pairs: readonly unknown[], key: string | number): Value | undefined {
  const place = findKey(pairs, key)
  return place < 0 ? undefined : (pairs[place + 1] as Value)
}

/** Puts a value under a key. Changes `pairs`. */
export function putValue(pairs: unknown[], key: string | number, value: unknown): void {
  const place = findKey(pairs, key)
  if (place >= 0) pairs[place + 1] = value
  else if (-1 - place === pairs.length) pairs.push(key, value)
  else pairs.splice(-1 - place, 0, key, value)
}

/**
 * Removes keys until there is one more than `most`: those of the greatest hashes, so that what stays follows from the
 * set of all keys that ever were, in whatever order they came. The one beyond tells that there were too many, and is
 * not shown: see `shownPairs`. Changes `pairs`.
 */
export function boundKeys(pairs: unknown[], most: number): void {
  dropKeys(pairs, most + 1)
}

/** Returns whether there were more keys than `most`. */
export function isBeyond(pairs: readonly unknown[], most: number): boolean {
  return pairs.length > 2 * most
}

/** Returns the pairs that values are made of: `most` at most, those of the smallest hashes. */
export function shownPairs<Pairs extends unknown[]>(pairs: Pairs, most: number): Pairs {
  if (!isBeyond(pairs, most)) return pairs
  const shown = pairs.slice() as Pairs
  dropKeys(shown, most)
  return shown
}

function dropKeys(pairs: unknown[], most: number): void {
  const excess = pairs.length / 2 - most
  if (excess <= 0) return
  const hashed: { place: number; hash: number }[] = []
  for (let place = 0; place < pairs.length; place += 2) hashed.push({ place, hash: hash32(pairs[place] as string) })
  // Of equal hashes the first key goes: sorting is stable.
  const gone = hashed.sort((a, b) => b.hash - a.hash).slice(0, excess)
  for (const { place } of gone.sort((a, b) => b.place - a.place)) pairs.splice(place, 2)
}

/** Returns different keys: those that `boundKeys` would leave of them. */
export function leastKeys(keys: readonly string[], most: number): string[] {
  const all = [...new Set(keys)]
  if (all.length <= most + 1) return all
  const hashed = all.sort().map(key => ({ key, hash: hash32(key) }))
  return hashed
    .sort((a, b) => b.hash - a.hash)
    .slice(-most - 1)
    .map(({ key }) => key)
}

/** Merges two maps; values of a key that is in both are merged by `mergeValues`. Neither is changed. */
export function mergePairs<Value>(
  a: readonly unknown[],
  b: readonly unknown[],
  mergeValues: (a: Value, b: Value, key: string) => Value,
): unknown[] {
  const merged: unknown[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const isOfA = j >= b.length || (i < a.length && (a[i] as string) < (b[j] as string))
    if (isOfA) merged.push(a[i++], a[i++])
    else if (i >= a.length || (b[j] as string) < (a[i] as string)) merged.push(b[j++], b[j++])
    else {
      merged.push(a[i], mergeValues(a[i + 1] as Value, b[j + 1] as Value, a[i] as string))
      i += 2
      j += 2
    }
  }
  return merged
}
