import { BUCKETS, keyToken, type Profile, partitionOf } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, type Publisher, readStream } from '@slotstream/runtime'

/** Where profiles and checkpoints are kept. */
export interface ProfileStore {
  read(siteId: string, visitorId: string): Promise<Profile | undefined>
  write(profile: Profile): Promise<void>
  /** Hands out the newest stored profiles, at most `limit`. Resolves to whether these were all there are. */
  loadNewest(limit: number, each: (profile: Profile) => void): Promise<boolean>
  /** Stream sequence up to which everything of the partition is in its stored profiles. 0 when there is none. */
  readCheckpoint(partition: number): Promise<number>
  writeCheckpoint(partition: number, seq: number): Promise<void>
}

/** The store in NATS KV: `profiles` `<partition>.<siteId>.<visitorId>`, `positions` `profiles.<partition>`. */
export function createProfileStore(
  nats: Nats,
  publisher: Publisher,
  { partitions, buckets }: Installation,
  log: Log,
): ProfileStore {
  const keyOf = (siteId: string, visitorId: string) =>
    `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyToken(visitorId)}`

  return {
    async read(siteId, visitorId) {
      const entry = await buckets.profiles.get(keyOf(siteId, visitorId))
      return entry?.operation === 'PUT' ? entry.json<Profile>() : undefined
    },
    async write(profile) {
      const key = keyOf(profile.siteId, profile.visitorId)
      // What `put` of the KV client does, at a sixth of the cost: a bucket is a stream with a subject per key.
      await publisher.publish(`$KV.${BUCKETS.profiles}.${key}`, JSON.stringify(profile))
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

function checkpointKey(partition: number): string {
  return `profiles.${partition}`
}
