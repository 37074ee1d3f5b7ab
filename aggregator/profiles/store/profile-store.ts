import type { Profile } from '@slotstream/protocol'
import {
  type Installation,
  ignoreMissing,
  isJetStreamError,
  isMark,
  type Log,
  type Nats,
  type Publisher,
  readWhole,
} from '@slotstream/runtime'
import { type Checkpoints, createCheckpoints } from './checkpoints.js'
import { createProfileBucket, type ProfileBucket, type Visitor } from './profile-bucket.js'
import { createProfileKeys, type ProfileKeys } from './profile-keys.js'
import { StoreConflict } from './store-conflict.js'
import { readEntries, type StoredEntry } from './stored-entries.js'

/** A profile as the store has it, or has none. `revision` is the store's, 0 where nothing was ever stored. */
export interface StoredProfile {
  profile: Profile | undefined
  revision: number
}

/** Profiles that are read ahead: all partitions are loaded at once, and each may be as large as a message. */
const READ_AHEAD = 100

/**
 * The store of profiles and checkpoints. A writer names the revision that it has read, and so cannot write over what it
 * has not read; without one it writes whatever is there. What cannot be read as a profile or a checkpoint is treated as
 * none, at its revision, so that the next write takes its place.
 */
export interface ProfileStore extends Pick<Checkpoints, 'readCheckpoint' | 'writeCheckpoint'> {
  /** Returns the key of a visitor's profile in the bucket. */
  keyOf(visitor: Visitor): string
  read(siteId: string, visitorId: string): Promise<StoredProfile>
  /** Resolves to the visitor whose profile is stored under a key; undefined: there is none. */
  visitorOf(key: string): Promise<Visitor | undefined>
  /**
   * Resolves to the new revision.
   *
   * @throws StoreConflict
   */
  write(profile: Profile, revision?: number): Promise<number>
  /**
   * Calls `each` with the newest stored profiles of a partition, its share of `limit` for all of them (bytes as they
   * are stored), until `abort` is signalled. Resolves to whether these were all there are.
   */
  loadNewest(
    partition: number,
    limit: { profiles: number; bytes: number },
    each: (profile: Profile, revision: number) => void,
    abort: AbortSignal,
  ): Promise<boolean>
}

/** The same store, as the sweep needs it that removes profiles which have ended. */
export interface SweptStore extends Pick<Checkpoints, 'readSwept' | 'writeSwept'> {
  /**
   * Removes a profile; a mark says so.
   *
   * @throws StoreConflict when it is not at `revision`
   */
  remove(profile: Profile, revision: number): Promise<void>
  /** Erases the mark that a removal left, unless the key was written since. */
  erase(mark: Pick<StoredEntry, 'revision'>): Promise<void>
  /**
   * Reads the entries of a partition from a revision on that were written before a time (milliseconds since the
   * epoch), oldest first.
   */
  olderThan(partition: number, from: number, before: number, abort: AbortSignal): AsyncIterable<StoredEntry>
  /** Reads the entries of a site in a partition, those written last at the end. */
  ofSite(partition: number, siteId: string, abort: AbortSignal): AsyncIterable<StoredEntry>
}

/** All that can be done with the profiles of a generation, wherever they are stored. */
export interface ProfileStoreOfGeneration extends ProfileStore, SweptStore, ProfileKeys {
  /** Removes all of them, with all that is known of them, beside their bucket. */
  eraseAll(): Promise<void>
}

/**
 * Creates the store of a generation in NATS KV: in `profiles` `<partition>.<siteId>.<keyed hash>`, in `positions`
 * `profiles.<partition>`; of later generations `profiles_1` and so on in both places.
 *
 * @param reader see `ProfileStoreDeps`
 */
export function createProfileStore(
  nats: Nats,
  publisher: Pick<Publisher, 'publish'>,
  installation: Pick<Installation, 'partitions' | 'generation' | 'buckets' | 'privacy'>,
  log: Log,
  reader: Nats = nats,
): ProfileStoreOfGeneration {
  const { buckets } = installation
  const bucket = createProfileBucket(publisher, installation, log)
  const { name, stream, subjectOf, keyOf, olderKeyOf, put, parse } = bucket
  const keys = createProfileKeys({
    nats,
    log,
    stream,
    subjectOf,
    keyOf,
    olderKeyOf,
    put: (key, profile) => put(name, key, profile, 0),
  })

  return {
    ...keys,
    ...createCheckpoints(nats, bucket, buckets, log),
    keyOf,
    read: (siteId, visitorId) => readKey(keyOf({ siteId, visitorId })),
    visitorOf: async key => (await readKey(key)).profile,
    write: (profile, revision) => put(name, keyOf(profile), profile, revision),
    loadNewest: (...parameters) => loadNewest({ nats: reader, log, bucket }, ...parameters),
    async remove(profile, revision) {
      try {
        await keys.markRemoved(profile, revision)
      } catch (error) {
        if (!isJetStreamError(error, 'wrongLastSequence')) throw error
        throw new StoreConflict(`the profile is not at revision ${revision}`, { cause: error })
      }
    },
    async erase({ revision }) {
      // A mark that was written over does not exist any more: a bucket has one entry of a key.
      await nats.manager.streams.deleteMessage(stream, revision, true).catch(ignoreMissing)
    },
    olderThan: (partition, from, before, abort) => entriesOf(`${partition}.>`, from, before, abort),
    ofSite: (partition, siteId, abort) => entriesOf(`${partition}.${siteId}.>`, 1, Number.POSITIVE_INFINITY, abort),
    // All there is goes with the bucket.
    eraseAll: async () => {},
  }

  /** Reads from the leader: a replica may lag behind. */
  async function readKey(key: string): Promise<StoredProfile> {
    const entry = await reader.manager.streams.getMessage(stream, { last_by_subj: subjectOf(key) })
    return {
      profile: entry && !isMark(entry.header) ? parse(entry, key, entry.seq) : undefined,
      revision: entry?.seq ?? 0,
    }
  }

  function entriesOf(keys: string, from: number, before: number, abort: AbortSignal): AsyncIterable<StoredEntry> {
    return readEntries({ nats: reader, log, stream, subject: subjectOf(keys) }, from, before, abort, message =>
      parse(message, bucket.keyOfSubject(message.subject), message.seq),
    )
  }
}

async function loadNewest(
  { nats, log, bucket }: { nats: Nats; log: Log; bucket: ProfileBucket },
  partition: number,
  limit: { profiles: number; bytes: number },
  each: (profile: Profile, revision: number) => void,
  abort: AbortSignal,
): Promise<boolean> {
  const { stream } = bucket
  const { messages, bytes, first_seq, last_seq } = (await nats.manager.streams.info(stream)).state
  const subject = bucket.subjectOf(`${partition}.>`)
  if (messages === 0) return true
  // The bucket has one message per key. Its stream read in one go is many times faster than key by key. What turns out
  // to be larger than others evicts older ones again.
  const most = Math.min(limit.profiles, Math.ceil(limit.bytes / Math.max(1, bytes / messages)))
  const from = Math.max(first_seq, last_seq - most + 1)
  for await (const message of readWhole(nats, stream, log, { subject, from, buffer: READ_AHEAD })) {
    if (abort.aborted) break
    const isMarker = isMark(message.headers)
    const profile = isMarker ? undefined : bucket.parse(message, bucket.keyOfSubject(message.subject), message.seq)
    if (profile) each(profile, message.seq)
  }
  return from === first_seq && !abort.aborted
}
