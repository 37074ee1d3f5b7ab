import type { Profile } from '@slotstream/protocol'
import type { ProfileCache } from '../cache/profile-cache.js'
import type { SweptStore } from '../store/profile-store.js'

/** Yields the profiles of a site in a partition, each once: those in memory, and those that only the store has. */
export async function* siteProfiles(
  { index, cache }: { index: number; cache: Pick<ProfileCache, 'ofSite' | 'isWhole'> },
  store: Pick<SweptStore, 'ofSite'>,
  siteId: string,
  abort: AbortSignal,
): AsyncGenerator<Profile> {
  const seen = new Set<string>()
  yield* unseen(cache.ofSite(siteId), seen)
  if (cache.isWhole) return
  for await (const { profile } of store.ofSite(index, siteId, abort)) if (profile) yield* unseen([profile], seen)
  // What came into memory meanwhile was written behind the reader's back.
  yield* unseen(cache.ofSite(siteId), seen)
}

function* unseen(profiles: readonly Profile[], seen: Set<string>): Generator<Profile> {
  for (const profile of profiles) {
    if (seen.has(profile.visitorId)) continue
    seen.add(profile.visitorId)
    yield profile
  }
}
