import type { ForgetRequest } from '@slotstream/protocol'
import type { LoadedPartition } from './partition/load-partition.js'
import type { ProfileKeys } from './store/profile-keys.js'

/**
 * Deletes profiles of a partition, in memory and in the store, with their signals that are not published yet. Resolves to
 * how many the store had.
 *
 * @param passes resolves when the pass that stores profiles now has ended
 */
export async function forgetProfiles(
  { cache, unpublished }: Pick<LoadedPartition, 'cache' | 'unpublished'>,
  store: Pick<ProfileKeys, 'eraseProfile'>,
  { siteId, visitorIds, before }: ForgetRequest,
  passes: () => Promise<unknown>,
): Promise<number> {
  const fromMemory = async () => {
    for (const visitorId of visitorIds) await cache.dropOld(siteId, visitorId, before)
  }
  await fromMemory()
  unpublished.remove(entry => entry.siteId === siteId && visitorIds.includes(entry.visitorId))
  // A pass that is under way may still store what was in memory.
  await passes()
  let erased = 0
  for (const visitorId of visitorIds) erased += await store.eraseProfile({ siteId, visitorId }, before)
  // Messages applied meanwhile may have read it from the store.
  await fromMemory()
  return erased
}
