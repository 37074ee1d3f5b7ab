/**
 * Keys a generation holds before the older one is let go: ten minutes at 5,000 a second. Two generations take 67 MB,
 * 11 MB for a million keys.
 */
const GENERATION = 3_000_000

/** Slots of an empty set, and the share of them that may be taken. */
const FIRST_SLOTS = 1024
const MAX_LOAD = 0.75

/**
 * Creates a filter of the keys of the latest rows, as 52-bit hashes. A key that it finds is looked up in the table
 * before it counts as a duplicate, so two keys with one hash cost a look-up and lose nothing.
 *
 * @param coveredSince from this time of receipt on (milliseconds), every key is in it
 */
export function recentKeys(coveredSince: number, generation = GENERATION) {
  let older = numberSet()
  let newer = numberSet()
  let latestOfOlder = 0
  let latestOfNewer = 0
  return {
    /** Every key received later than this is here, in milliseconds since the epoch. */
    get coveredSince() {
      return coveredSince
    },
    get size() {
      return older.size + newer.size
    },
    has(key: string): boolean {
      const hash = hash52(key)
      return newer.has(hash) || older.has(hash)
    },
    add(key: string, receivedAt: number): void {
      if (newer.size >= generation) {
        if (older.size > 0) coveredSince = Math.max(coveredSince, latestOfOlder)
        older = newer
        latestOfOlder = latestOfNewer
        newer = numberSet()
        latestOfNewer = 0
      }
      newer.add(hash52(key))
      if (receivedAt > latestOfNewer) latestOfNewer = receivedAt
    },
  }
}

export type RecentKeys = ReturnType<typeof recentKeys>

/** Numbers above 0, in one array with linear probing: a third of the memory of a Set, and nothing for the collector. */
function numberSet() {
  let slots = new Float64Array(FIRST_SLOTS)
  let size = 0

  function placeOf(number: number): number {
    let place = number % slots.length
    while (slots[place] !== 0 && slots[place] !== number) place = place + 1 === slots.length ? 0 : place + 1
    return place
  }

  function grow(): void {
    const before = slots
    slots = new Float64Array(2 * before.length)
    for (const number of before) if (number !== 0) slots[placeOf(number)] = number
  }

  return {
    get size() {
      return size
    },
    has: (number: number): boolean => slots[placeOf(number)] === number,
    add(number: number): void {
      if (size >= MAX_LOAD * slots.length) grow()
      const place = placeOf(number)
      if (slots[place] === number) return
      slots[place] = number
      size++
    },
  }
}

/** Returns a hash of 52 bits above 0: two FNV-1a lanes over UTF-16 code units, finished as in MurmurHash3. */
function hash52(text: string): number {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x85ebca6b)
  }
  a = Math.imul(a ^ (a >>> 16), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 15), 0x27d4eb2f)
  return ((a ^ (a >>> 16)) >>> 0) * 2 ** 20 + ((b ^ (b >>> 13)) >>> 12) + 1
}
