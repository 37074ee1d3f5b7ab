import { isMark, type Log, type Nats, readWhole } from '@slotstream/runtime'
import type { ProfileBucket } from '../profile-bucket.js'
import type { ProfileKeys } from '../profile-keys.js'
import type { ProfileStoreOfGeneration } from '../profile-store.js'
import type { Redis } from './open-redis.js'
import type { PublishedChanges } from './publish-changes.js'
import type { RedisKeys } from './redis-keys.js'

/** Profiles that are read ahead, or removed, at a time. */
const AT_A_TIME = 100

export interface TakeOverDeps {
  redis: Redis
  nats: Nats
  log: Log
  keys: RedisKeys
  bucket: ProfileBucket
  /** The copies in the bucket. */
  inBucket: Pick<ProfileKeys, 'takeOver'>
  changes: PublishedChanges
  partitions: number
}

/** Creates what fills a partition of Redis, and what empties all of them. */
export function createTakeOver(deps: TakeOverDeps): Pick<ProfileStoreOfGeneration, 'takeOver' | 'eraseAll'> {
  const { redis, keys, inBucket, changes, partitions } = deps
  return {
    async takeOver(partition) {
      if (!(await redis.exists(keys.partition(partition).checkpoint))) {
        await inBucket.takeOver(partition)
        await copyFromBucket(deps, partition)
      }
      await changes.publishRest(partition)
    },
    async eraseAll() {
      for (let partition = 0; partition < partitions; partition++) {
        const { order, ...others } = keys.partition(partition)
        for (;;) {
          const some = await redis.zRange(order, 0, AT_A_TIME - 1)
          if (some.length === 0) break
          await redis.unlink(some.map(key => keys.placeOf(key).profile))
          await redis.zRem(order, some)
        }
        await redis.unlink(Object.values(others))
      }
    },
  }
}

/** Copies what the bucket has of a partition to where Redis has nothing: a state that is there is as new, or newer. */
async function copyFromBucket({ redis, nats, log, keys, bucket }: TakeOverDeps, partition: number): Promise<void> {
  let copied = 0
  const subject = bucket.subjectOf(`${partition}.>`)
  for await (const message of readWhole(nats, bucket.stream, log, { subject, buffer: AT_A_TIME })) {
    const key = bucket.keyOfSubject(message.subject)
    const profile = isMark(message.headers) ? undefined : bucket.parse(message, key, message.seq)
    if (!profile) continue
    const place = keys.placeOf(key)
    const written = await redis.writeProfile(place, { key, value: JSON.stringify(profile), expected: 0 })
    if (!written) continue
    await redis.notePublished(place, { key, revision: written.revision, published: message.seq })
    copied++
  }
  if (copied > 0) log.info({ partition, profiles: copied }, 'profiles were copied from NATS KV to Redis')
}
