import { headers } from '@nats-io/transport-node'
import { keyToken, type Profile, partitionOf, profileKey, profilesBucket } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, PublishError, type Publisher, readStream } from '@slotstream/runtime'
import type { StoredProfile } from './partition.js'

/** Stream sequence up to which everything of a partition is in its stored profiles. 0 when there is none. */
export interface Checkpoint {
  seq: number
  revision: number
  /** How the keys of the partition's profiles are made: absent where they are older than hashes. */
  keys?: 'hashed'
}

/** The store has another revision than the expected one: somebody else wrote, or an answer was lost. */
export class StoreConflict extends Error {
  override name = 'StoreConflict'
  readonly code = 'conflict'
}

/**
 * Where profiles and checkpoints are kept. Whoever writes names the revision that it knows, and so can't write over
 * what it doesn't know; without one it writes whatever is there.
 */
export interface ProfileStore {
  /** Key of a visitor's profile in the bucket. */
  keyOf(visitor: { siteId: string; visitorId: string }): string
  read(siteId: string, visitorId: string): Promise<StoredProfile>
  /** Resolves to the new revision. Throws StoreConflict. */
  write(profile: Profile, revision?: number): Promise<number>
  /**
   * Hands out the newest stored profiles of a partition, its share of `limit` for all of them, until `signal` says to
   * stop. Resolves to whether these were all there are.
   */
  loadNewest(
    partition: number,
    limit: number,
    each: (profile: Profile, revision: number) => void,
    signal: AbortSignal,
  ): Promise<boolean>
  readCheckpoint(partition: number): Promise<Checkpoint>
  /** Resolves to the new revision. Throws StoreConflict. */
  writeCheckpoint(partition: number, seq: number, revision?: number): Promise<number>
}

/** What else can be done with stored profiles. */
export interface ProfileKeys {
  /** Marks a profile as deleted, so that ClickHouse learns of it. */
  markRemoved(visitor: { siteId: string; visitorId: string }): Promise<void>
  /**
   * Deletes the profiles of a visitor that began at `before` or earlier, in ms since the epoch, and overwrites their bytes
   * where they are. Resolves to how many there were.
   */
  eraseProfile(visitor: { siteId: string; visitorId: string }, before: number): Promise<number>
  /** Gives profiles of a partition that were stored under visitors' ids the keys that they have now. */
  renameKeys(partition: number): Promise<void>
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
): ProfileStore & ProfileKeys {
  const bucket = profilesBucket(generation)
  const checkpointKey = (partition: number) => `${bucket}.${partition}`
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

  return {
    keyOf,
    async read(siteId, visitorId) {
      const entry = await buckets.profiles.get(keyOf({ siteId, visitorId }))
      return {
        profile: entry?.operation === 'PUT' ? entry.json<Profile>() : undefined,
        revision: entry?.revision ?? 0,
      }
    },
    write: (profile, revision) => put(bucket, keyOf(profile), profile, revision),
    async markRemoved(visitor) {
      const marker = headers()
      marker.set('KV-Operation', 'DEL')
      const { siteId, visitorId } = visitor
      // The key is a hash, and the row in ClickHouse has the visitor's id.
      const body = JSON.stringify({ siteId, visitorId })
      await nats.js.publish(subjectOf(keyOf(visitor)), body, { headers: marker })
    },
    async eraseProfile(visitor, before) {
      const erased = await eraseSubject(subjectOf(keyOf(visitor)), before)
      return erased + (await eraseSubject(subjectOf(olderKeyOf(visitor)), before))
    },
    async renameKeys(partition) {
      const subject = subjectOf(`${partition}.>`)
      const { last } = await lastOf(stream, subject)
      if (last === 0) return
      const reader = readStream(nats, stream, { from: 1, filter: subject, log })
      for await (const message of reader) {
        if (message.seq > last) break
        if (!message.headers?.get('KV-Operation')) {
          const profile = message.json<Profile>()
          if (message.subject !== subjectOf(keyOf(profile))) {
            await put(bucket, keyOf(profile), profile, 0).catch(ignoreConflict)
            await nats.manager.streams.deleteMessage(stream, message.seq, true)
          }
        }
        if (message.seq >= last || message.info.pending === 0) break
      }
      await reader.stop()
    },
    async loadNewest(partition, limit, each, signal) {
      const { name } = (await buckets.profiles.status()).streamInfo.config
      const { messages, first_seq, last_seq } = (await nats.manager.streams.info(name)).state
      const subject = `$KV.${bucket}.${partition}.>`
      if (messages === 0) return true
      const { last } = await lastOf(name, subject)
      // The bucket keeps one message per key. Its stream read in one go is many times faster than key by key.
      const from = Math.max(first_seq, last_seq - limit + 1)
      if (last >= from) {
        const reader = readStream(nats, name, { from, filter: subject, log })
        for await (const message of reader) {
          if (signal.aborted) break
          if (!message.headers?.get('KV-Operation')) each(message.json<Profile>(), message.seq)
          if (message.seq >= last || message.info.pending === 0) break
        }
        await reader.stop()
      }
      return from === first_seq && !signal.aborted
    },
    async readCheckpoint(partition) {
      const entry = await buckets.positions.get(checkpointKey(partition))
      const revision = entry?.revision ?? 0
      if (entry?.operation !== 'PUT') return { seq: 0, revision }
      const { seq, keys } = entry.json<Checkpoint>()
      return { seq, revision, ...(keys && { keys }) }
    },
    writeCheckpoint: (partition, seq, revision) =>
      put('positions', checkpointKey(partition), { seq, keys: 'hashed' }, revision),
  }

  async function eraseSubject(subject: string, before: number): Promise<number> {
    let erased = 0
    for (;;) {
      // Not a purge: that leaves a marker, and the bytes.
      const message = await nats.manager.streams.getMessage(stream, { last_by_subj: subject })
      if (!message) return erased
      const isMarker = Boolean(message.header?.get('KV-Operation'))
      if (!isMarker && Date.parse(message.json<Profile>().firstSeen) > before) return erased
      if ((await nats.manager.streams.deleteMessage(stream, message.seq, true)) && !isMarker) erased++
    }
  }

  /** A profile that has its new key already is the one that counts. */
  function ignoreConflict(error: unknown): void {
    if (!(error instanceof StoreConflict)) throw error
  }

  /** Sequence of the last message that a filter lets pass, 0 for none: without one, a reader would wait for ever. */
  async function lastOf(stream: string, subject: string): Promise<{ last: number }> {
    const message = await nats.manager.streams.getMessage(stream, { last_by_subj: subject })
    return { last: message?.seq ?? 0 }
  }
}
