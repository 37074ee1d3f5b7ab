import {
  type Check,
  isCount,
  keyToken,
  type Profile,
  parseProfile,
  partitionOf,
  profileKey,
  profilesBucket,
} from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  PublishError,
  type Publisher,
  parseEntry,
  readStream,
  skipEntry,
} from '@slotstream/runtime'
import { createProfileKeys, type ProfileKeys } from './profile-keys.js'
import { StoreConflict } from './store-conflict.js'
import { readEntries, type StoredEntry } from './stored-entries.js'

/** A profile as the store has it, or has none. `revision` is the store's, 0 where nothing was ever stored. */
export interface StoredProfile {
  profile: Profile | undefined
  revision: number
}

/** Stream sequence up to which everything of a partition is in its stored profiles. 0 when there is none. */
export interface Checkpoint {
  seq: number
  revision: number
  /** How the keys of the partition's profiles are made: absent where they are older than hashes. */
  keys?: 'hashed'
}

/** Profiles that are read ahead: all partitions are loaded at once, and each may be as large as a message. */
const READ_AHEAD = 100

/** JetStream's code for a message that isn't there. */
const NO_MESSAGE = 10043

/** JetStream's code for a write that expected another revision. */
const WRONG_REVISION = 10071

/**
 * Where profiles and checkpoints are kept. Whoever writes names the revision that it knows, and so can't write over
 * what it doesn't know; without one it writes whatever is there. What can't be read as a profile or a checkpoint is as
 * none, at its revision, so that the next write takes its place.
 */
export interface ProfileStore {
  /** Key of a visitor's profile in the bucket. */
  keyOf(visitor: { siteId: string; visitorId: string }): string
  read(siteId: string, visitorId: string): Promise<StoredProfile>
  /** Resolves to the new revision. Throws StoreConflict. */
  write(profile: Profile, revision?: number): Promise<number>
  /**
   * Hands out the newest stored profiles of a partition, its share of `limit` for all of them (bytes as they are
   * stored), until `signal` says to stop. Resolves to whether these were all there are.
   */
  loadNewest(
    partition: number,
    limit: { profiles: number; bytes: number },
    each: (profile: Profile, revision: number) => void,
    signal: AbortSignal,
  ): Promise<boolean>
  readCheckpoint(partition: number): Promise<Checkpoint>
  /** Resolves to the new revision. Throws StoreConflict. */
  writeCheckpoint(partition: number, seq: number, revision?: number): Promise<number>
}

/** The same store, as the sweep sees it that removes profiles which have ended. */
export interface SweptStore {
  /** Removes a profile; a mark says so. Throws StoreConflict when it isn't at `revision`. */
  remove(profile: Profile, revision: number): Promise<void>
  /** Erases the mark that a removal left, unless the key was written since. */
  erase(mark: Pick<StoredEntry, 'revision'>): Promise<void>
  /** Entries of a partition from a revision on that were written before a time (milliseconds since the epoch), oldest first. */
  olderThan(partition: number, from: number, before: number, signal: AbortSignal): AsyncIterable<StoredEntry>
  /** Revision up to which a partition's old entries were looked through; 0 before the first time. */
  readSwept(partition: number): Promise<number>
  writeSwept(partition: number, seq: number): Promise<void>
}

/**
 * The store of a generation in NATS KV: in `profiles` `<partition>.<siteId>.<keyed hash>`, in `positions`
 * `profiles.<partition>`; of later generations `profiles_1` and so on in both places.
 */
export function createProfileStore(
  nats: Nats,
  publisher: Pick<Publisher, 'publish'>,
  { partitions, generation, buckets, privacy }: Pick<Installation, 'partitions' | 'generation' | 'buckets' | 'privacy'>,
  log: Log,
): ProfileStore & SweptStore & ProfileKeys {
  const bucket = profilesBucket(generation)
  const checkpointKey = (partition: number) => `${bucket}.${partition}`
  const sweptKey = (partition: number) => `${bucket}.${partition}.swept`
  const keyOf = (visitor: { siteId: string; visitorId: string }) => profileKey(privacy.keyed, visitor, partitions)
  /** Where versions before keyed hashes kept a profile. */
  const olderKeyOf = ({ siteId, visitorId }: { siteId: string; visitorId: string }) =>
    `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyToken(visitorId)}`
  const stream = `KV_${bucket}`
  const subjectOf = (key: string) => `$KV.${bucket}.${key}`

  /** What `put` of the KV client does, at a sixth of the cost: a bucket is a stream with a subject per key. */
  async function put(bucketName: string, key: string, value: object, revision: number | undefined): Promise<number> {
    try {
      const subject = `$KV.${bucketName}.${key}`
      return (await publisher.publish(subject, JSON.stringify(value), undefined, revision)).seq
    } catch (error) {
      if (error instanceof PublishError && error.code === 'conflict')
        throw new StoreConflict(`${key} is not at revision ${revision}`, { cause: error })
      throw error
    }
  }

  const keys = createProfileKeys({
    nats,
    log,
    stream,
    subjectOf,
    keyOf,
    olderKeyOf,
    put: (key, profile) => put(bucket, key, profile, 0),
  })

  return {
    ...keys,
    keyOf,
    async read(siteId, visitorId) {
      const key = keyOf({ siteId, visitorId })
      const entry = await buckets.profiles.get(key)
      const profile = entry?.operation === 'PUT' ? usable(entry, key, entry.revision) : undefined
      return { profile, revision: entry?.revision ?? 0 }
    },
    write: (profile, revision) => put(bucket, keyOf(profile), profile, revision),
    async loadNewest(partition, limit, each, signal) {
      const { name } = (await buckets.profiles.status()).streamInfo.config
      const { messages, bytes, first_seq, last_seq } = (await nats.manager.streams.info(name)).state
      const subject = `$KV.${bucket}.${partition}.>`
      if (messages === 0) return true
      const { last } = await lastOf(name, subject)
      // The bucket keeps one message per key. Its stream read in one go is many times faster than key by key. What
      // turns out to be larger than others pushes older ones out of memory again.
      const most = Math.min(limit.profiles, Math.ceil(limit.bytes / Math.max(1, bytes / messages)))
      const from = Math.max(first_seq, last_seq - most + 1)
      if (last >= from) {
        const reader = readStream(nats, name, { from, filter: subject, buffer: READ_AHEAD, log })
        for await (const message of reader) {
          if (signal.aborted) break
          const profile = message.headers?.get('KV-Operation')
            ? undefined
            : usable(message, message.subject.slice(subjectOf('').length), message.seq)
          if (profile) each(profile, message.seq)
          if (message.seq >= last || message.info.pending === 0) break
        }
        await reader.stop()
      }
      return from === first_seq && !signal.aborted
    },
    async remove(profile, revision) {
      try {
        await keys.markRemoved(profile, revision)
      } catch (error) {
        if ((error as { code?: unknown }).code !== WRONG_REVISION) throw error
        throw new StoreConflict(`the profile is not at revision ${revision}`, { cause: error })
      }
    },
    async erase({ revision }) {
      // One that was written over is gone already: a bucket keeps one entry of a key.
      await nats.manager.streams.deleteMessage(stream, revision, true).catch(ignoreGone)
    },
    olderThan: (partition, from, before, signal) =>
      readEntries({ nats, log, stream, subject: subjectOf(`${partition}.>`) }, from, before, signal, message =>
        usable(message, message.subject.slice(subjectOf('').length), message.seq),
      ),
    async readSwept(partition) {
      const { seq } = await readSeq(sweptKey(partition), partition)
      const { last_seq } = (await nats.manager.streams.info(stream)).state
      // A bucket that was made anew counts from 1 again.
      return seq <= last_seq ? seq : 0
    },
    async writeSwept(partition, seq) {
      await put('positions', sweptKey(partition), { seq }, undefined)
    },
    readCheckpoint: partition => readSeq(checkpointKey(partition), partition),
    writeCheckpoint: (partition, seq, revision) =>
      put('positions', checkpointKey(partition), { seq, keys: 'hashed' }, revision),
  }

  async function readSeq(key: string, partition: number): Promise<Checkpoint> {
    const entry = await buckets.positions.get(key)
    const revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { seq: 0, revision }
    const parsed = parseEntry(entry, parseCheckpoint)
    if (!parsed.ok) skipEntry(log, 'positions', { partition, revision }, parsed.reason)
    return { ...(parsed.ok ? parsed.value : { seq: 0 }), revision }
  }

  /** Keys stand for visitors, so the log gets the revision only. */
  function usable(entry: { json<T>(): T }, key: string, revision: number): Profile | undefined {
    const parsed = parseEntry(entry, parseProfile)
    const fits = parsed.ok && keyOf(parsed.value) === key
    if (!fits) skipEntry(log, bucket, { revision }, parsed.ok ? 'it is the profile of another visitor' : parsed.reason)
    return fits ? parsed.value : undefined
  }

  /** Sequence of the last message that a filter lets pass, 0 for none: without one, a reader would wait for ever. */
  async function lastOf(stream: string, subject: string): Promise<{ last: number }> {
    const message = await nats.manager.streams.getMessage(stream, { last_by_subj: subject })
    return { last: message?.seq ?? 0 }
  }
}

function parseCheckpoint(raw: unknown): Check<Omit<Checkpoint, 'revision'>> {
  const { seq, keys } = (raw ?? {}) as { seq?: unknown; keys?: unknown }
  if (!isCount(seq)) return { ok: false, reason: 'seq is not a whole number from 0' }
  return { ok: true, value: { seq, ...(keys === 'hashed' && { keys }) } }
}

function ignoreGone(error: unknown): false {
  if ((error as { code?: unknown }).code === NO_MESSAGE) return false
  throw error
}
