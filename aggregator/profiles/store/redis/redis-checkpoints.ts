import type { Checkpoints } from '../checkpoints.js'
import { StoreConflict } from '../store-conflict.js'
import type { Redis } from './open-redis.js'
import type { RedisKeys } from './redis-keys.js'

/**
 * Creates the checkpoints of a generation in Redis, beside the profiles: a Redis that comes back with older profiles
 * comes back with the older checkpoint, and what is missing is applied again. The copies in NATS KV are as true for the
 * copies of the profiles there.
 */
export function createRedisCheckpoints(redis: Redis, keys: RedisKeys, copies: Checkpoints): Checkpoints {
  return {
    async readCheckpoint(partition) {
      const { seq, revision } = await redis.hGetAll(keys.partition(partition).checkpoint)
      if (seq !== undefined && revision !== undefined) return { seq: Number(seq), revision: Number(revision) }
      // Redis is empty: the profiles are taken over, with what is known of them.
      return { seq: (await copies.readCheckpoint(partition)).seq, revision: 0 }
    },
    async writeCheckpoint(partition, seq, expected) {
      // First here: only when profiles are in Redis is the partition taken over.
      const revision = await redis.writeCheckpoint(keys.partition(partition), { seq, expected })
      if (revision === undefined) throw new StoreConflict(`the checkpoint of ${partition} is not at ${expected}`)
      await copies.writeCheckpoint(partition, seq)
      return revision
    },
    readSwept: async partition => Number((await redis.get(keys.partition(partition).swept)) ?? 0),
    async writeSwept(partition, seq) {
      await redis.set(keys.partition(partition).swept, String(seq))
    },
  }
}
