import type { Installation, Log } from '@slotstream/runtime'
import { createProfileStore, type ProfileStoreOfGeneration } from './profile-store.js'
import type { ProfileStoreDeps } from './profile-store-deps.js'
import type { Redis } from './redis/open-redis.js'
import { createRedisProfileStore } from './redis/redis-profile-store.js'

/**
 * Connects to the Redis that has the profiles, where there is one: see `openRedis`. Its client takes a moment and 24 MB
 * to load, and is loaded only then.
 *
 * @param url its address; undefined: profiles are in NATS KV
 */
export async function redisAt(
  url: string | undefined,
  installation: Pick<Installation, 'privacy'>,
  log: Log,
): Promise<Redis | undefined> {
  if (url === undefined) return undefined
  const { openRedis } = await import('./redis/open-redis.js')
  return openRedis(url, installation, log)
}

/** Returns the store of a generation of profiles: in Redis where there is one, else in NATS KV. */
export function profileStoreOf(deps: ProfileStoreDeps): ProfileStoreOfGeneration {
  const { nats, publisher, installation, log, redis, reader } = deps
  return redis
    ? createRedisProfileStore({ ...deps, redis })
    : createProfileStore(nats, publisher, installation, log, reader)
}
