import type { Profile } from '@slotstream/protocol'
import { isJetStreamError, type Nats } from '@slotstream/runtime'
import type { ProfileBucket, Visitor } from '../profile-bucket.js'
import type { ProfileKeys } from '../profile-keys.js'
import { StoreConflict } from '../store-conflict.js'
import type { Redis } from './open-redis.js'
import type { RedisKeys } from './redis-keys.js'
import type { Written } from './scripts.js'

/** Changes that are published at a time when a partition is taken over. */
const PUBLISHED_TOGETHER = 100

/** A profile in Redis, with the sequence under which its change before was published. */
export interface Current extends Written {
  profile: Profile | undefined
  /** Bytes of the profile as it is stored. */
  bytes: number
}

export interface ChangesDeps {
  nats: Nats
  redis: Redis
  keys: RedisKeys
  /** The bucket that the changes are published in. */
  bucket: ProfileBucket
  markRemoved: ProfileKeys['markRemoved']
  /** Reads what Redis has under a key now. */
  read: (key: string) => Promise<Current>
}

/** The changes of profiles in Redis, as the bucket of the generation has them for ClickHouse. */
export interface PublishedChanges {
  /** Publishes a state that Redis has had since `written`. */
  publish(key: string, profile: Profile, written: Written): Promise<void>
  /**
   * Publishes that a visitor's profile is being removed.
   *
   * @throws StoreConflict when a change was published after `published`
   */
  publishRemoval(visitor: Visitor, published: number): Promise<void>
  /** Publishes what a former owner of the partition has stored and could not publish. */
  publishRest(partition: number): Promise<void>
}

/**
 * Creates the publisher of changes. Each is published on condition that the one before is still the last: first that
 * one's sequence is read, then the state. So of two states that two processes publish the newer one is the last, too.
 */
export function createPublishedChanges(deps: ChangesDeps): PublishedChanges {
  const { nats, redis, keys, bucket, markRemoved, read } = deps

  async function publish(key: string, profile: Profile, written: Written): Promise<void> {
    try {
      const published = await bucket.put(bucket.name, key, profile, written.published)
      await redis.notePublished(keys.placeOf(key), { key, revision: written.revision, published })
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
      await publishCurrent(key)
    }
  }

  async function publishCurrent(key: string): Promise<void> {
    const last = await nats.manager.streams.getMessage(bucket.stream, { last_by_subj: bucket.subjectOf(key) })
    const { profile, revision } = await read(key)
    if (profile) await publish(key, profile, { revision, published: last?.seq ?? 0 })
    // What was removed meanwhile is published by who removed it.
    else await redis.zRem(keys.placeOf(key).unpublished, key)
  }

  return {
    publish,
    async publishRemoval(visitor, published) {
      try {
        await markRemoved(visitor, published)
      } catch (error) {
        if (!isJetStreamError(error, 'wrongLastSequence')) throw error
        throw new StoreConflict('the profile was changed', { cause: error })
      }
    },
    async publishRest(partition) {
      const { unpublished } = keys.partition(partition)
      for (;;) {
        const rest = await redis.zRange(unpublished, 0, PUBLISHED_TOGETHER - 1)
        for (const key of rest) await publishCurrent(key)
        if (rest.length < PUBLISHED_TOGETHER) return
      }
    },
  }
}
