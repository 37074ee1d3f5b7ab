import type { Visitor } from '../profile-bucket.js'
import type { ProfileKeys } from '../profile-keys.js'
import type { ProfileStoreOfGeneration } from '../profile-store.js'
import { StoreConflict } from '../store-conflict.js'
import type { PublishedChanges } from './publish-changes.js'
import { entriesByRevision, type ReadingDeps } from './read-profiles.js'

export interface RemovalDeps extends ReadingDeps {
  changes: PublishedChanges
  /** The copies in the bucket. */
  inBucket: Pick<ProfileKeys, 'eraseProfile'>
}

/** Creates what removes single profiles from Redis, and what finds those that are to be removed. */
export function createRemovals(
  deps: RemovalDeps,
): Pick<ProfileStoreOfGeneration, 'markRemoved' | 'remove' | 'erase' | 'eraseProfile' | 'olderThan' | 'ofSite'> {
  const { redis, keys, bucket, read, changes, inBucket } = deps

  /**
   * Removes a profile, after its mark is written: no other owner would publish that a profile is gone which is no
   * longer in Redis.
   */
  async function removeAt(visitor: Visitor, expected?: number): Promise<void> {
    const key = bucket.keyOf(visitor)
    const { revision, published } = await read(key)
    if (expected === undefined || expected === revision) {
      await changes.publishRemoval(visitor, published)
      if (await redis.removeProfile(keys.placeOf(key), { key, revision })) return
    }
    throw new StoreConflict(`${key} is not at revision ${expected ?? revision}`)
  }

  return {
    markRemoved: removeAt,
    remove: removeAt,
    // Marks are in the bucket only: a removed key leaves nothing here.
    erase: async () => {},
    async eraseProfile(visitor, before) {
      const key = bucket.keyOf(visitor)
      let erased = 0
      for (;;) {
        const { profile, revision } = await read(key)
        if (revision === 0 || (profile && Date.parse(profile.firstSeen) > before)) break
        if ((await redis.removeProfile(keys.placeOf(key), { key, revision })) && profile) erased++
      }
      // The copy is of the same profile, and is not counted again.
      return Math.max(erased, await inBucket.eraseProfile(visitor, before))
    },
    olderThan: (partition, from, before, abort) => entriesByRevision(deps, partition, { from, before }, abort),
    ofSite(partition, siteId, abort) {
      const isOfSite = (key: string) => key.startsWith(`${partition}.${siteId}.`)
      return entriesByRevision(deps, partition, { from: 1, before: Number.POSITIVE_INFINITY }, abort, isOfSite)
    },
  }
}
