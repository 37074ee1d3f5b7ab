import { keyToken, type Profile, partitionOf, profilesBucket } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, type Publisher, readStream } from '@slotstream/runtime'

/** Where profiles and checkpoints are kept. */
export interface ProfileStore {
  /** Key of a visitor's profile in the bucket. */
  keyOf(visitor: { siteId: string; visitorId: string }): string
  read(siteId: string, visitorId: string): Promise<Profile | undefined>
  write(profile: Profile): Promise<void>
  /** Hands out the newest stored profiles, at most `limit`. Resolves to whether these were all there are. */
  loadNewest(limit: number, each: (profile: Profile) => void): Promise<boolean>
  /** Stream sequence up to which everything of the partition is in its stored profiles. 0 when there is none. */
  readCheckpoint(partition: number): Promise<number>
  writeCheckpoint(partition: number, seq: number): Promise<void>
}

/**
 * The store of a generation in NATS KV: in `profiles` `<partition>.<siteId>.<visitorId>`, in `positions`
 * `profiles.<partition>`; of later generations `profiles_1` and so on in both places.
 */
export function createProfileStore(
  nats: Nats,
  publisher: Publisher,
  { partitions, generation, buckets }: Installation,
  log: Log,
): ProfileStore {
  const bucket = profilesBucket(generation)
  const checkpointKey = (partition: number) => `${bucket}.${partition}`
  const keyOf = ({ siteId, visitorId }: { siteId: string; visitorId: string }) =>
    `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyToken(visitorId)}`

  return {
    keyOf,
    async read(siteId, visitorId) {
      const entry = await buckets.profiles.get(keyOf({ siteId, visitorId }))
      return entry?.operation === 'PUT' ? entry.json<Profile>() : undefined
    },
    async write(profile) {
      const key = keyOf(profile)
      // What `put` of the KV client does, at a sixth of the cost: a bucket is a stream with a subject per key.
      await publisher.publish(`$KV.${bucket}.${key}`, JSON.stringify(profile))
    },
    async loadNewest(limit, each) {
      const { name } = (await buckets.profiles.status()).streamInfo.config
      const { messages, first_seq, last_seq } = (await nats.manager.streams.info(name)).state
      if (messages === 0) return true
      // The bucket keeps one message per key. Its stream read in one go is many times faster than key by key.
      const from = Math.max(first_seq, last_seq - limit + 1)
      const reader = readStream(nats, name, { from, log })
      let read = 0
      for await (const message of reader) {
        read++
        if (!message.headers?.get('KV-Operation')) each(message.json<Profile>())
        if (message.seq >= last_seq || message.info.pending === 0) break
      }
      await reader.stop()
      return read >= messages
    },
    async readCheckpoint(partition) {
      const entry = await buckets.positions.get(checkpointKey(partition))
      return entry?.operation === 'PUT' ? entry.json<{ seq: number }>().seq : 0
    },
    async writeCheckpoint(partition, seq) {
      await buckets.positions.put(checkpointKey(partition), JSON.stringify({ seq }))
    },
  }
}
