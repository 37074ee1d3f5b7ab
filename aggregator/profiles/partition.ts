import type { Profile } from '@slotstream/protocol'

/** A partition's profiles in memory, backed by a store. */
export interface Partition {
  /** The visitor's profile: at once when it is known in memory that there is one, or none; else read from the store. */
  get(siteId: string, visitorId: string): Profile | undefined | Promise<Profile | undefined>
  /** Puts a profile that isn't stored yet. */
  put(profile: Profile): void
  /** Puts a profile as the store has it. */
  load(profile: Profile): void
  /** Says that the store has more profiles than were loaded. */
  markIncomplete(): void
  /** Profiles that aren't stored yet. */
  unstored(): Profile[]
  /** Says that the store has this state of a profile now. */
  markStored(profile: Profile): void
  /** Profiles in memory, and those of them that aren't stored yet. */
  readonly size: number
  readonly unstoredSize: number
}

/**
 * @param limit profiles kept in memory: beyond it the ones used longest ago leave, as soon as they are stored
 * @param read reads a profile from the store
 */
export function createPartition(
  limit: number,
  read: (siteId: string, visitorId: string) => Promise<Profile | undefined>,
): Partition {
  // A Map keeps insertion order: the first one is the one used longest ago.
  const profiles = new Map<string, Profile>()
  const unstored = new Set<string>()
  const reading = new Map<string, Promise<Profile | undefined>>()
  // Until the first profile leaves, what isn't in memory doesn't exist, and new visitors cost no read.
  let complete = true

  function set(key: string, profile: Profile): void {
    profiles.delete(key)
    profiles.set(key, profile)
  }

  function makeRoom(): void {
    for (const key of profiles.keys()) {
      if (profiles.size <= limit || unstored.has(key)) return
      profiles.delete(key)
      complete = false
    }
  }

  /** One read per profile at a time: a second one could put an older state over a newer one. */
  function readOnce(key: string, siteId: string, visitorId: string): Promise<Profile | undefined> {
    const begun = reading.get(key)
    if (begun) return begun
    const reads = read(siteId, visitorId)
      .then(profile => {
        if (profile) set(key, profile)
        makeRoom()
        return profile
      })
      .finally(() => reading.delete(key))
    reading.set(key, reads)
    return reads
  }

  return {
    get(siteId, visitorId) {
      const key = keyOf(siteId, visitorId)
      const profile = profiles.get(key)
      if (profile) set(key, profile)
      else if (!complete) return readOnce(key, siteId, visitorId)
      return profile
    },
    put(profile) {
      const key = keyOf(profile.siteId, profile.visitorId)
      set(key, profile)
      unstored.add(key)
      makeRoom()
    },
    load(profile) {
      set(keyOf(profile.siteId, profile.visitorId), profile)
      makeRoom()
    },
    markIncomplete() {
      complete = false
    },
    unstored: () => [...unstored].flatMap(key => profiles.get(key) ?? []),
    markStored(profile) {
      const key = keyOf(profile.siteId, profile.visitorId)
      if (profiles.get(key) === profile) unstored.delete(key)
      makeRoom()
    },
    get size() {
      return profiles.size
    },
    get unstoredSize() {
      return unstored.size
    },
  }
}

function keyOf(siteId: string, visitorId: string): string {
  return `${siteId}\0${visitorId}`
}
