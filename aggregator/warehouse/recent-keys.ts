/** Keys a generation holds before the older one is let go. A million keys take about 45 MB. */
const GENERATION = 500_000

/**
 * The keys of the latest rows, as 52-bit hashes: a filter. What it finds is looked up in the table before it counts
 * as a duplicate, so two keys with one hash cost a look-up and lose nothing.
 *
 * @param coveredSince from this time of receipt on (milliseconds), every key is in it
 */
export function recentKeys(coveredSince: number, generation = GENERATION) {
  let older = new Set<number>()
  let newer = new Set<number>()
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
        newer = new Set()
        latestOfNewer = 0
      }
      newer.add(hash52(key))
      if (receivedAt > latestOfNewer) latestOfNewer = receivedAt
    },
  }
}

export type RecentKeys = ReturnType<typeof recentKeys>

/** Two FNV-1a lanes over UTF-16 code units, finished as in MurmurHash3. */
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
  return ((a ^ (a >>> 16)) >>> 0) * 2 ** 20 + ((b ^ (b >>> 13)) >>> 12)
}
