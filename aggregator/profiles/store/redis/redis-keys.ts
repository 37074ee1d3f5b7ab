import type { ProfilePlace } from './scripts.js'

/** The keys under which Redis has a generation of profiles. */
export interface RedisKeys {
  /** Returns where a profile is, by its key in the bucket, which begins with its partition. */
  placeOf(key: string): ProfilePlace
  /** Returns where what belongs to a whole partition is. */
  partition(partition: number): Omit<ProfilePlace, 'profile'> & { checkpoint: string; swept: string }
}

/** Creates the names of a generation, whose bucket has this name. What is changed together has one hash slot. */
export function createRedisKeys(bucket: string): RedisKeys {
  const prefix = (partition: number | string) => `slotstream:{${bucket}.${partition}}:`
  const shared = (partition: number | string) => ({
    order: `${prefix(partition)}order`,
    unpublished: `${prefix(partition)}unpublished`,
    counter: `${prefix(partition)}counter`,
  })
  return {
    placeOf(key) {
      const partition = key.slice(0, key.indexOf('.'))
      return { profile: `${prefix(partition)}profile:${key}`, ...shared(partition) }
    },
    partition: partition => ({
      ...shared(partition),
      checkpoint: `${prefix(partition)}checkpoint`,
      swept: `${prefix(partition)}swept`,
    }),
  }
}
