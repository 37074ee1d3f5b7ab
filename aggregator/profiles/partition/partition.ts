import { profileBytes } from '@slotstream/core'
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
  /**
   * Lets a profile go that is about to be removed from the store. False when memory has another state than `revision`:
   * then it must stay.
   */
  forget(profile: Pick<Profile, 'siteId' | 'visitorId'>, revision: number): boolean
  /** Drops the visitor's profile from memory, stored or not, if it began at `before` or earlier, in ms since the epoch. */
  dropOld(siteId: string, visitorId: string, before: number): Promise<void>
  /** Profiles in memory, and those of them that aren't stored yet; bytes as `profileBytes` counts them. */
  readonly size: number
  readonly bytes: number
  readonly unstoredSize: number
  readonly unstoredBytes: number
}

interface Entry {
  profile: Profile
  /** The store's, as far as is known. */
  revision: number
  /** Whether the store had a profile that this one was made of. */
  isOfStore: boolean
  /** States that are on their way to the store. */
  sent: Profile[]
  bytes: number
}

/**
 * Revisions kept of profiles that are not in memory: what was read for a message may have to leave before the message is
 * applied. Of others a write learns it.
 */
const MAX_GONE = 1_000

/**
 * @param limit profiles kept in memory: beyond it the ones used longest ago leave, as soon as they are stored
 * @param read reads a profile from the store
 * @param maxBytes the same limit in bytes
 * @param room resolves when there is room for one more profile; undefined where there is. Messages wait for profiles
 *   without taking much memory, and the profiles that are read for them would take it at once
 */
export function createPartition(
  limit: number,
  read: (siteId: string, visitorId: string) => Promise<StoredProfile>,
  maxBytes = Number.POSITIVE_INFINITY,
  room: () => Promise<void> | undefined = () => undefined,
): Partition {
  // A Map keeps insertion order: the first one is the one used longest ago.
  const profiles = new Map<string, Entry>()
  const unstored = new Set<string>()
  const reading = new Map<string, Promise<Profile | undefined>>()
  const gone = new Map<string, Pick<Entry, 'revision' | 'isOfStore'>>()
  let bytes = 0
  let unstoredBytes = 0
  let complete = false
  let left = false

  function remove(key: string): Entry | undefined {
    const entry = profiles.get(key)
    if (!entry) return undefined
    profiles.delete(key)
    bytes -= entry.bytes
    if (unstored.delete(key)) unstoredBytes -= entry.bytes
    return entry
  }

  function add(key: string, entry: Omit<Entry, 'bytes'>, isStored: boolean): void {
    const size = profileBytes(entry.profile)
    profiles.set(key, { ...entry, bytes: size })
    gone.delete(key)
    bytes += size
    if (isStored) return
    unstored.add(key)
    unstoredBytes += size
  }

  function markClean(key: string, entry: Entry): void {
    if (unstored.delete(key)) unstoredBytes -= entry.bytes
  }

  function noteGone(key: string, revision: number, isOfStore: boolean): void {
    gone.delete(key)
    gone.set(key, { revision, isOfStore })
    const [oldest] = gone.keys()
    if (gone.size > MAX_GONE && oldest !== undefined) gone.delete(oldest)
  }

  function makeRoom(): void {
    for (const key of profiles.keys()) {
      if ((profiles.size <= limit && bytes <= maxBytes) || unstored.has(key)) return
      const { revision, isOfStore } = remove(key)!
      noteGone(key, revision, isOfStore)
      left = true
    }
  }

  /** One read per profile at a time: a second one could put an older state over a newer one. */
  function readOnce(key: string, siteId: string, visitorId: string): Promise<Profile | undefined> {
    const begun = reading.get(key)
    if (begun) return begun
    const waiting = room()
    const reads = (waiting ? waiting.then(() => read(siteId, visitorId)) : read(siteId, visitorId))
      .then(({ profile, revision }) => {
        const known = profiles.get(key)
        if (known) return known.profile
        if (profile) add(key, { profile, revision, isOfStore: true, sent: [] }, true)
        // What is written next is made of this answer, and must name its revision, even if it came from a late replica.
        else noteGone(key, revision, false)
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
      if (known) {
        profiles.delete(key)
        profiles.set(key, known)
      }
      // While all are in memory, whoever isn't doesn't exist, and new visitors cost no read.
      else if (!complete || left) return readOnce(key, siteId, visitorId)
      return known?.profile
    },
    put(profile) {
      const key = keyOf(profile.siteId, profile.visitorId)
      const known = remove(key)
      const { revision, isOfStore } = known ?? gone.get(key) ?? { revision: 0, isOfStore: false }
      add(key, { profile, revision, isOfStore, sent: known?.sent ?? [] }, false)
      makeRoom()
    },
    load(profile, revision) {
      const key = keyOf(profile.siteId, profile.visitorId)
      if (!profiles.has(key)) add(key, { profile, revision, isOfStore: true, sent: [] }, true)
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
      known.isOfStore = true
      known.sent = []
      if (known.profile === profile) markClean(key, known)
      makeRoom()
    },
    markSent(profile) {
      const sent = profiles.get(keyOf(profile.siteId, profile.visitorId))?.sent
      // While the store answers nothing, each pass sends the same once more.
      if (sent && sent.at(-1) !== profile) sent.push(profile)
    },
    async reconcile({ siteId, visitorId }) {
      const key = keyOf(siteId, visitorId)
      const stored = await read(siteId, visitorId)
      const known = profiles.get(key)
      if (!known) return true
      const { sent } = known
      known.revision = stored.revision
      known.sent = []
      const isFirst = !known.isOfStore
      known.isOfStore = stored.profile !== undefined
      // A first profile of a visitor whose earlier one was removed from the store: nothing was built on that.
      if (!stored.profile && isFirst) return true
      // Another owner, before or after this one, applied the same messages in the same order, and was further.
      if (stored.profile && stored.profile.seq > known.profile.seq) {
        remove(key)
        add(key, { profile: stored.profile, revision: stored.revision, isOfStore: true, sent: [] }, true)
        return true
      }
      const text = JSON.stringify(stored.profile)
      return sent.some(profile => JSON.stringify(profile) === text)
    },
    forget({ siteId, visitorId }, revision) {
      const key = keyOf(siteId, visitorId)
      const known = profiles.get(key)
      if (known && (unstored.has(key) || known.revision !== revision)) return false
      remove(key)
      // The store has to be asked for its revision when the visitor comes back.
      left = true
      return true
    },
    async dropOld(siteId, visitorId, before) {
      const key = keyOf(siteId, visitorId)
      // A read that is under way would put it back.
      await reading.get(key)?.catch(() => {})
      const known = profiles.get(key)
      if (!known || Date.parse(known.profile.firstSeen) > before) return
      remove(key)
    },
    get size() {
      return profiles.size
    },
    get bytes() {
      return bytes
    },
    get unstoredSize() {
      return unstored.size
    },
    get unstoredBytes() {
      return unstoredBytes
    },
  }
}

function keyOf(siteId: string, visitorId: string): string {
  return `${siteId}\0${visitorId}`
}
