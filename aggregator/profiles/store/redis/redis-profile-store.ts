import { createCheckpoints } from '../checkpoints.js'
import { createProfileBucket } from '../profile-bucket.js'
import { createProfileKeys } from '../profile-keys.js'
import type { ProfileStoreOfGeneration } from '../profile-store.js'
import type { ProfileStoreDeps } from '../profile-store-deps.js'
import { StoreConflict } from '../store-conflict.js'
import type { Redis } from './open-redis.js'
import { type Current, createPublishedChanges } from './publish-changes.js'
import { loadNewestOf } from './read-profiles.js'
import { createRedisCheckpoints } from './redis-checkpoints.js'
import { createRedisKeys } from './redis-keys.js'
import { createRemovals } from './removals.js'
import { createTakeOver } from './take-over.js'

/**
 * Creates the store of a generation in Redis. Profiles are read and compared there. The bucket of the generation in
 * NATS KV has a copy of each: ClickHouse is loaded from it, and a Redis that has lost its data is filled from it.
 */
export function createRedisProfileStore(deps: ProfileStoreDeps & { redis: Redis }): ProfileStoreOfGeneration {
  const { redis, nats, publisher, installation, log } = deps
  const { partitions } = installation
  const bucket = createProfileBucket(publisher, installation, log)
  const keys = createRedisKeys(bucket.name)
  const inBucket = createProfileKeys({
    ...bucket,
    nats,
    log,
    put: (key, profile) => bucket.put(bucket.name, key, profile, 0),
  })
  const changes = createPublishedChanges({ nats, redis, keys, bucket, markRemoved: inBucket.markRemoved, read })
  const storeDeps = { redis, nats, log, keys, bucket, inBucket, changes, read, partitions }

  async function read(key: string): Promise<Current> {
    const [value, revision, published] = await redis.hmGet(keys.placeOf(key).profile, [
      'value',
      'revision',
      'published',
    ])
    const revisions = { revision: Number(revision ?? 0), published: Number(published ?? 0) }
    const text = value ?? undefined
    const profile =
      text === undefined ? undefined : bucket.parse({ json: () => JSON.parse(text) }, key, revisions.revision)
    return { profile, bytes: Buffer.byteLength(text ?? ''), ...revisions }
  }

  return {
    ...createRedisCheckpoints(redis, keys, createCheckpoints(nats, bucket, installation.buckets, log)),
    ...createRemovals(storeDeps),
    ...createTakeOver(storeDeps),
    keyOf: bucket.keyOf,
    async read(siteId, visitorId) {
      const { profile, revision } = await read(bucket.keyOf({ siteId, visitorId }))
      return { profile, revision }
    },
    visitorOf: async key => (await read(key)).profile,
    async write(profile, expected) {
      const key = bucket.keyOf(profile)
      const written = await redis.writeProfile(keys.placeOf(key), { key, value: JSON.stringify(profile), expected })
      if (!written) throw new StoreConflict(`${key} is not at revision ${expected}`)
      await changes.publish(key, profile, written)
      return written.revision
    },
    loadNewest: (partition, limit, each, abort) => loadNewestOf(storeDeps, partition, limit, each, abort),
  }
}
