import type { ForgetRequest } from '@slotstream/protocol'
import type { ProfileCache } from './cache/profile-cache.js'
import type { LoadedPartition } from './partition/load-partition.js'
import type { ProfileKeys } from './store/profile-keys.js'
import type { Storing } from './storing.js'

/**
 * Deletes profiles of a partition, in memory and in the store, with their signals that are not published yet. What
 * other profiles forgot is stored before it resolves: a process that ends afterwards brings nothing back. Resolves to
 * how many the store had; undefined where not all could be stored, so that it is asked for again.
 */
export async function forgetProfiles(
  partition: LoadedPartition,
  store: Pick<ProfileKeys, 'eraseProfile'>,
  { siteId, visitorIds, before, links = [] }: ForgetRequest,
  { settled, flush }: Pick<Storing, 'settled' | 'flush'>,
): Promise<number | undefined> {
  const { cache, unpublished, timers } = partition
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
  const isStored = links.length === 0 || (await flush([partition]))
  return isStored ? erased : undefined
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
