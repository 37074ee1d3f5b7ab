import type { ForgetRequest } from '@slotstream/protocol'
import type { ProfileCache } from './cache/profile-cache.js'
import type { LoadedPartition } from './partition/load-partition.js'
import type { ProfileKeys } from './store/profile-keys.js'

/**
 * Deletes profiles of a partition, in memory and in the store, with their signals that are not published yet. Resolves
 * to how many the store had.
 *
 * @param settled resolves when the passes that were begun to store profiles have ended
 */
export async function forgetProfiles(
  { cache, unpublished, timers }: Pick<LoadedPartition, 'cache' | 'unpublished' | 'timers'>,
  store: Pick<ProfileKeys, 'eraseProfile'>,
  { siteId, visitorIds, before, links = [] }: ForgetRequest,
  settled: () => Promise<unknown>,
): Promise<number> {
  const dropFromMemory = async () => {
    for (const visitorId of visitorIds) await cache.dropOld(siteId, visitorId, before)
  }
  await dropFromMemory()
  unpublished.remove(entry => entry.siteId === siteId && visitorIds.includes(entry.visitorId))
  // A pass that is under way may still store what was in memory.
  await settled()
  let erased = 0
  for (const visitorId of visitorIds) erased += await store.eraseProfile({ siteId, visitorId }, before)
  for (const visitorId of visitorIds) await timers.forget({ siteId, visitorId })
  // Messages applied meanwhile may have read it from the store.
  await dropFromMemory()
  for (const [visitorId, anonymousId] of links) await unlink(cache, siteId, visitorId, anonymousId)
  return erased
}

/**
 * Takes a deleted browser out of the profile of a user who named it, or of another browser of that user. What patterns
 * remember goes as a whole where the profile was told anything: no part of it says whose messages it is made of.
 */
async function unlink(cache: ProfileCache, siteId: string, visitorId: string, anonymousId: string): Promise<void> {
  const profile = await cache.get(siteId, visitorId)
  const isLinked = profile?.links && Object.hasOwn(profile.links, anonymousId)
  if (!profile || (!isLinked && !profile.heard)) return
  const { heard, patterns, ...others } = profile
  const { [anonymousId]: _deleted, ...links } = profile.links ?? {}
  cache.put({ ...others, ...(!heard && patterns && { patterns }), ...(profile.links && { links }) })
}
