import type { Profile } from '@slotstream/protocol'

/** A profile as the store has it, or has none. `revision` is the store's, 0 where nothing was ever stored. */
export interface StoredProfile {
  profile: Profile | undefined
  revision: number
}

/** A partition's profiles in memory, backed by a store. */
export interface Partition {
  /** The visitor's profile: at once when it is known in memory that there is one, or none; else read from the store. */
  get(siteId: string, visitorId: string): Profile | undefined | Promise<Profile | undefined>
  /** Puts a profile that isn't stored yet. */
  put(profile: Profile): void
  /** Puts a profile as the store has it, unless one is in memory. */
  load(profile: Profile, revision: number): void
  /** Says that all that the store has was loaded. */
  markComplete(): void
  /** Profiles that aren't stored yet, each with the revision that the store had last. */
  unstored(): { profile: Profile; revision: number }[]
  /** Says that the store has this state of a profile now. */
  markStored(profile: Profile, revision: number): void
  /** Says that this state is on its way to the store. Whether it arrived isn't known until `markStored` or `reconcile`. */
  markSent(profile: Profile): void
  /**
   * The store has something else than expected for this profile: reads it. Resolves to false when that is neither what
   * was sent from here nor further on: then what is in memory was made of a state that was out of date.
   */
  reconcile(profile: Profile): Promise<boolean>
  /** Drops the visitor's profile from memory, stored or not, if it began at `before` or earlier, in ms since the epoch. */
  dropOld(siteId: string, visitorId: string, before: number): Promise<void>
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
  read: (siteId: string, visitorId: string) => Promise<StoredProfile>,
): Partition {
  // A Map keeps insertion order: the first one is the one used longest ago.
  const profiles = new Map<string, { profile: Profile; revision: number; sent: Profile[] }>()
  const unstored = new Set<string>()
  const reading = new Map<string, Promise<Profile | undefined>>()
  let complete = false
  let left = false

  function set(key: string, profile: Profile, revision: number, sent: Profile[] = []): void {
    profiles.delete(key)
    profiles.set(key, { profile, revision, sent })
  }

  function makeRoom(): void {
    for (const key of profiles.keys()) {
      if (profiles.size <= limit || unstored.has(key)) return
      profiles.delete(key)
      left = true
    }
  }

  /** One read per profile at a time: a second one could put an older state over a newer one. */
  function readOnce(key: string, siteId: string, visitorId: string): Promise<Profile | undefined> {
    const begun = reading.get(key)
    if (begun) return begun
    const reads = read(siteId, visitorId)
      .then(({ profile, revision }) => {
        const known = profiles.get(key)
        if (known) return known.profile
        if (profile) set(key, profile, revision)
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
      const known = profiles.get(key)
      if (known) set(key, known.profile, known.revision, known.sent)
      // While all are in memory, whoever isn't doesn't exist, and new visitors cost no read.
      else if (!complete || left) return readOnce(key, siteId, visitorId)
      return known?.profile
    },
    put(profile) {
      const key = keyOf(profile.siteId, profile.visitorId)
      const known = profiles.get(key)
      set(key, profile, known?.revision ?? 0, known?.sent)
      unstored.add(key)
      makeRoom()
    },
    load(profile, revision) {
      const key = keyOf(profile.siteId, profile.visitorId)
      if (!profiles.has(key)) set(key, profile, revision)
      makeRoom()
    },
    markComplete() {
      complete = true
    },
    unstored: () =>
      [...unstored].map(key => profiles.get(key)!).map(({ profile, revision }) => ({ profile, revision })),
    markStored(profile, revision) {
      const key = keyOf(profile.siteId, profile.visitorId)
      const known = profiles.get(key)
      if (!known) return
      known.revision = revision
      known.sent = []
      if (known.profile === profile) unstored.delete(key)
      makeRoom()
    },
    markSent(profile) {
      profiles.get(keyOf(profile.siteId, profile.visitorId))?.sent.push(profile)
    },
    async reconcile({ siteId, visitorId }) {
      const key = keyOf(siteId, visitorId)
      const stored = await read(siteId, visitorId)
      const known = profiles.get(key)
      if (!known) return true
      const { sent } = known
      known.revision = stored.revision
      known.sent = []
      // Another owner, before or after this one, applied the same messages in the same order, and was further.
      if (stored.profile && stored.profile.seq > known.profile.seq) {
        known.profile = stored.profile
        unstored.delete(key)
        return true
      }
      const text = JSON.stringify(stored.profile)
      return sent.some(profile => JSON.stringify(profile) === text)
    },
    async dropOld(siteId, visitorId, before) {
      const key = keyOf(siteId, visitorId)
      // A read that is under way would put it back.
      await reading.get(key)?.catch(() => {})
      const known = profiles.get(key)
      if (!known || Date.parse(known.profile.firstSeen) > before) return
      profiles.delete(key)
      unstored.delete(key)
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
