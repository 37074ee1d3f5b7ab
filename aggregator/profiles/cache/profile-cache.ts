import { type Profile, visitorText } from '@slotstream/protocol'
import type { StoredProfile } from '../store/profile-store.js'
import { type CacheEntries, createCacheEntries, NONE_SENT } from './cache-entries.js'
import { settleConflict } from './settle-conflict.js'

/** A partition's profiles in memory, with those that are not stored yet, backed by a store. */
export interface ProfileCache {
  /**
   * Returns the visitor's profile: at once when memory tells that there is one, or that there is none; else read from
   * the store.
   */
  get(siteId: string, visitorId: string): Profile | undefined | Promise<Profile | undefined>
  /** Puts a profile that is not stored yet. */
  put(profile: Profile): void
  /** Puts a profile as the store has it, unless one is in memory. */
  load(profile: Profile, revision: number): void
  /** Marks that everything that the store has was loaded. */
  markComplete(): void
  /** Returns the profiles that are not stored yet, each with the revision that the store had last. */
  unstored(): { profile: Profile; revision: number }[]
  /** Marks that the store has this state of a profile. */
  markStored(profile: Profile, revision: number): void
  /** Marks that this state is on its way to the store. Whether it arrived only `markStored` or `reconcile` tell. */
  markSent(profile: Profile): void
  /**
   * Reads a profile for which the store has something else than expected. Resolves to false when that is neither what
   * was sent from here nor further on: then what is in memory was made of a state that was out of date.
   */
  reconcile(profile: Profile): Promise<boolean>
  /**
   * Evicts a profile that is about to be removed from the store. Returns false when memory has another state than
   * `revision`: then it must stay.
   */
  evict(profile: Pick<Profile, 'siteId' | 'visitorId'>, revision: number): boolean
  /**
   * Drops the visitor's profile from memory, stored or not, if it began at `before` or earlier, in milliseconds since
   * the epoch.
   */
  dropOld(siteId: string, visitorId: string, before: number): Promise<void>
  /** Returns the profiles of a site that are in memory. They stay as long unused as they were. */
  ofSite(siteId: string): Profile[]
  /** True if memory has all profiles: the store has no other one. */
  readonly isWhole: boolean
  /** Profiles in memory, and those of them that are not stored yet; bytes as `profileBytes` counts them. */
  readonly size: number
  readonly bytes: number
  readonly unstoredSize: number
  readonly unstoredBytes: number
}

export interface ProfileCacheDeps {
  /** Profiles in memory at most: beyond it the ones used longest ago are evicted, as soon as they are stored. */
  maxProfiles: number
  /** The same limit in bytes. Default: none */
  maxBytes?: number
  /** Reads a profile from the store. */
  read(siteId: string, visitorId: string): Promise<StoredProfile>
  /**
   * Resolves when there is room for one more profile; undefined where there is. Messages wait for profiles without
   * taking much memory, and the profiles that are read for them would take it at once. Default: always room
   */
  room?: () => Promise<void> | undefined
  /** Called when a state of another owner took the place of the one in memory. Default: nothing */
  onReplaced?: (profile: Profile) => void
}

/** Creates the empty cache of a partition. */
export function createProfileCache(deps: ProfileCacheDeps): ProfileCache {
  const { read, maxProfiles, maxBytes = Number.POSITIVE_INFINITY, onReplaced } = deps
  const entries = createCacheEntries(maxProfiles, maxBytes)
  const reads = createReads(deps, entries)
  let isComplete = false
  const isWhole = () => isComplete && !entries.hasEvicted

  return {
    get(siteId, visitorId) {
      const key = visitorText(siteId, visitorId)
      const entry = entries.use(key)
      // While all are in memory, a visitor that is not in it has no profile, and new visitors cost no read.
      if (!entry && !isWhole()) return reads.begin(key, siteId, visitorId)
      return entry?.profile
    },
    put(profile) {
      entries.putUnstored(visitorText(profile.siteId, profile.visitorId), profile)
      entries.evictBeyondLimits()
    },
    load(profile, revision) {
      const key = visitorText(profile.siteId, profile.visitorId)
      if (!entries.get(key)) entries.putStored(key, profile, revision)
      entries.evictBeyondLimits()
    },
    markComplete() {
      isComplete = true
    },
    unstored: () => entries.unstored().map(({ profile, revision }) => ({ profile, revision })),
    markStored(profile, revision) {
      noteWrite(entries, visitorText(profile.siteId, profile.visitorId), profile, revision)
    },
    markSent(profile) {
      const entry = entries.get(visitorText(profile.siteId, profile.visitorId))
      // While the store answers nothing, each pass sends the same once more.
      if (entry && entry.sent.at(-1) !== profile) entry.sent = [...entry.sent, profile]
    },
    async reconcile({ siteId, visitorId }) {
      const verdict = reconcile(entries, visitorText(siteId, visitorId), await read(siteId, visitorId))
      if (typeof verdict === 'object') onReplaced?.(verdict)
      return verdict !== false
    },
    evict({ siteId, visitorId }, revision) {
      const key = visitorText(siteId, visitorId)
      const entry = entries.get(key)
      if (entry && (entries.isUnstored(key) || entry.revision !== revision)) return false
      entries.evict(key)
      return true
    },
    async dropOld(siteId, visitorId, before) {
      const key = visitorText(siteId, visitorId)
      // A read that is under way would put it back.
      await reads.underWay(key)?.catch(() => {})
      const entry = entries.get(key)
      if (!entry || Date.parse(entry.profile.firstSeen) > before) return
      entries.remove(key)
    },
    ofSite: siteId => entries.startingWith(visitorText(siteId, '')),
    get isWhole() {
      return isWhole()
    },
    get size() {
      return entries.sizes().size
    },
    get bytes() {
      return entries.sizes().bytes
    },
    get unstoredSize() {
      return entries.sizes().unstoredSize
    },
    get unstoredBytes() {
      return entries.sizes().unstoredBytes
    },
  }
}

/** Creates the reads of a cache, one per profile at a time: a second one could put an older state over a newer one. */
function createReads({ read, room = () => undefined }: ProfileCacheDeps, entries: CacheEntries) {
  const reading = new Map<string, Promise<Profile | undefined>>()

  async function readNow(key: string, siteId: string, visitorId: string): Promise<Profile | undefined> {
    const { profile, revision } = await read(siteId, visitorId)
    const entry = entries.get(key)
    if (entry) return entry.profile
    if (profile) entries.putStored(key, profile, revision)
    // What is written next is made of this answer, and must name its revision, even if it came from a late replica.
    else entries.noteAbsent(key, revision)
    entries.evictBeyondLimits()
    return profile
  }

  return {
    /** Returns the read that is under way for a key, or begins one. */
    begin(key: string, siteId: string, visitorId: string): Promise<Profile | undefined> {
      const underWay = reading.get(key)
      if (underWay) return underWay
      const waiting = room()
      const run = () => readNow(key, siteId, visitorId)
      const begun = (waiting ? waiting.then(run) : run()).finally(() => reading.delete(key))
      reading.set(key, begun)
      return begun
    },
    underWay: (key: string) => reading.get(key),
  }
}

/** Takes note of a state that the store has now. The state in memory may be a later one. */
function noteWrite(entries: CacheEntries, key: string, profile: Profile, revision: number): void {
  const entry = entries.get(key)
  if (!entry) return
  entry.revision = revision
  entry.isFromStore = true
  entry.sent = NONE_SENT
  if (entry.profile === profile) entries.markStored(key)
  entries.evictBeyondLimits()
}

/**
 * Takes note of what the store has after a conflict. Returns false when the state in memory is out of date, and the
 * stored state where it took its place.
 */
function reconcile(entries: CacheEntries, key: string, stored: StoredProfile): boolean | Profile {
  const entry = entries.get(key)
  if (!entry) return true
  const verdict = settleConflict(entry, stored)
  Object.assign(entry, { revision: stored.revision, isFromStore: stored.profile !== undefined, sent: NONE_SENT })
  if (verdict !== 'replace') return verdict !== 'outdated'
  entries.putStored(key, stored.profile!, stored.revision)
  return stored.profile!
}
