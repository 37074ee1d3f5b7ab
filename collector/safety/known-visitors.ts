import { randomInt } from 'node:crypto'

/** Bits of one filter: 2 MB. Two of them are all the memory that this takes. */
const FILTER_BITS = 2 ** 24

/** Places that a visitor sets. With so many visitors in a filter, about 1 % of the others seem known, too. */
const PLACES = 4
const VISITORS_PER_FILTER = 1_500_000

/** Visitors that came lately: approximate, and of one fixed size however many come. */
export interface KnownVisitors {
  knows(siteId: string, visitorId: string): boolean
  remember(siteId: string, visitorId: string): void
}

/**
 * Creates two Bloom filters: when the newer one has its number of visitors, it becomes the older one, and an empty one
 * the newer. A visitor that is met again moves on to the newer. So the last 1.5 to 3 million are known, and a stranger
 * seems known in about one case of a hundred, which can only be too generous.
 */
export function createKnownVisitors(visitorsPerFilter = VISITORS_PER_FILTER): KnownVisitors {
  // Kept to this process, so that no client can make ids that look like those of others.
  const seed = randomInt(2 ** 32 - 1)
  let newer = new Uint32Array(FILTER_BITS / 32)
  let older = new Uint32Array(FILTER_BITS / 32)
  let count = 0

  const placeOf = (siteId: string, visitorId: string) => mix(hashOf(visitorId, hashOf(siteId, seed)))
  const stepOf = (first: number) => mix(first ^ seed) | 1

  function put(first: number) {
    if (count >= visitorsPerFilter) {
      ;[older, newer] = [newer, older.fill(0)]
      count = 0
    }
    add(newer, first, stepOf(first))
    count++
  }

  return {
    knows(siteId, visitorId) {
      const first = placeOf(siteId, visitorId)
      if (has(newer, first, stepOf(first))) return true
      if (!has(older, first, stepOf(first))) return false
      put(first)
      return true
    },
    remember: (siteId, visitorId) => put(placeOf(siteId, visitorId)),
  }
}

function has(filter: Uint32Array, first: number, step: number): boolean {
  for (let n = 0, at = first; n < PLACES; n++, at += step) {
    const bit = (at >>> 0) % FILTER_BITS
    if (((filter[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return false
  }
  return true
}

function add(filter: Uint32Array, first: number, step: number): void {
  for (let n = 0, at = first; n < PLACES; n++, at += step) {
    const bit = (at >>> 0) % FILTER_BITS
    filter[bit >>> 5]! |= 1 << (bit & 31)
  }
}

/** Hashes by FNV-1a over the characters. */
function hashOf(text: string, seed: number): number {
  let h = seed ^ 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

/** Mixes the bits of a hash, as the finalizer of MurmurHash3 does. */
function mix(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
