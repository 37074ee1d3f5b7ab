import { profileBytes } from '@slotstream/core'
import type { Profile } from '@slotstream/protocol'
import { createEvictedRevisions, type KnownRevision } from './evicted-revisions.js'

/** A profile in memory: `isFromStore` tells whether it was made of one that the store had. */
export interface CacheEntry extends KnownRevision {
  readonly profile: Profile
  /** States that are on their way to the store. */
  sent: readonly Profile[]
}

/** No states on their way: those of all entries that are stored, which are nearly all. */
export const NONE_SENT: readonly Profile[] = []

/** The entries of a profile cache within their limits, the one used longest ago first. */
export interface CacheEntries {
  get(key: string): CacheEntry | undefined
  /** Returns an entry and makes it the one used last. */
  use(key: string): CacheEntry | undefined
  /** Puts a state that is not stored yet over the one in memory or, if that was evicted, at its revision. */
  putUnstored(key: string, profile: Profile): void
  /** Puts a state that the store has. */
  putStored(key: string, profile: Profile, revision: number): void
  /** Notes that the store had no profile at a revision: what is written next must name that. */
  noteAbsent(key: string, revision: number): void
  remove(key: string): void
  /** Removes an entry whose revision in the store may change: the store has to be asked when it is needed again. */
  evict(key: string): void
  isUnstored(key: string): boolean
  /** Marks the state in memory as the one that the store has. */
  markStored(key: string): void
  /** Returns the entries that are not stored yet. */
  unstored(): CacheEntry[]
  /** Returns the profiles whose keys begin so, as they are now. */
  startingWith(prefix: string): Profile[]
  /** Evicts the entries used longest ago until the limits are kept, or one of them is not stored yet. */
  evictBeyondLimits(): void
  /** True if any entry has been evicted. */
  readonly hasEvicted: boolean
  sizes(): CacheSizes
}

/** Entries, and those of them that are not stored yet; bytes as `profileBytes` counts them. */
export interface CacheSizes {
  size: number
  bytes: number
  unstoredSize: number
  unstoredBytes: number
}

/** Creates the empty entries of a profile cache with its limits. */
export function createCacheEntries(maxProfiles: number, maxBytes: number): CacheEntries {
  // A Map keeps insertion order: the first entry is the one used longest ago.
  const entries = new Map<string, CacheEntry & { bytes: number }>()
  const unstored = new Set<string>()
  const evicted = createEvictedRevisions()
  let bytes = 0
  let unstoredBytes = 0
  let hasEvicted = false

  function add(key: string, entry: CacheEntry): number {
    remove(key)
    const size = profileBytes(entry.profile)
    const { profile, revision, isFromStore, sent } = entry
    entries.set(key, { profile, revision, isFromStore, sent, bytes: size })
    evicted.delete(key)
    bytes += size
    return size
  }

  function remove(key: string): void {
    markStored(key)
    bytes -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }

  function markStored(key: string): void {
    if (unstored.delete(key)) unstoredBytes -= entries.get(key)!.bytes
  }

  return {
    get: key => entries.get(key),
    use(key) {
      const entry = entries.get(key)
      if (entry && entries.delete(key)) entries.set(key, entry)
      return entry
    },
    putUnstored(key, profile) {
      const former = entries.get(key)
      const { revision, isFromStore } = former ?? evicted.get(key) ?? { revision: 0, isFromStore: false }
      unstoredBytes += add(key, { profile, revision, isFromStore, sent: former?.sent ?? NONE_SENT })
      unstored.add(key)
    },
    putStored: (key, profile, revision) => void add(key, { profile, revision, isFromStore: true, sent: NONE_SENT }),
    noteAbsent: (key, revision) => evicted.note(key, revision, false),
    remove,
    evict(key) {
      remove(key)
      hasEvicted = true
    },
    isUnstored: key => unstored.has(key),
    markStored,
    unstored: () => [...unstored].map(key => entries.get(key)!),
    startingWith(prefix) {
      const profiles: Profile[] = []
      for (const [key, { profile }] of entries) if (key.startsWith(prefix)) profiles.push(profile)
      return profiles
    },
    evictBeyondLimits() {
      for (const [key, { revision, isFromStore }] of entries) {
        if ((entries.size <= maxProfiles && bytes <= maxBytes) || unstored.has(key)) return
        remove(key)
        evicted.note(key, revision, isFromStore)
        hasEvicted = true
      }
    },
    get hasEvicted() {
      return hasEvicted
    },
    sizes: () => ({ size: entries.size, bytes, unstoredSize: unstored.size, unstoredBytes }),
  }
}
