import type { KV } from '@nats-io/kv'
import {
  type IdKind,
  isForgotten,
  isProfileForgotten,
  joinTombstones,
  type KeyedHash,
  type NamedIds,
  type Person,
  type Profile,
  type Tombstone,
  tombstoneKey,
} from '@slotstream/protocol'
import { watchBucket } from '../nats/buckets/watch-bucket.js'
import type { Nats } from '../nats/connection/nats.js'
import type { Log } from '../process/log.js'
import type { Installation } from './installation.js'

/** Ids whose keys are remembered for a while, at most: computing one takes some microseconds. */
const MAX_KEYS = 2_000

/** The deletions that are remembered, kept up to date from their bucket. */
export interface Tombstones {
  /** How many ids are remembered. While there are none, nothing has to be looked at. */
  readonly size: number
  /** Tells whether something is from before the deletion of a person that it names. `time`: ms since the epoch. */
  isForgotten(siteId: string, named: NamedIds, time: number): boolean
  /** Tells whether a profile began before the deletion of its browser or person. */
  isProfileForgotten(profile: Pick<Profile, 'siteId' | 'anonymousId' | 'userId' | 'firstSeen'>): boolean
  stop(): void
}

/** Ids that are written at a time. */
const AT_ONCE = 32

/** Remembers nothing. */
export const NO_TOMBSTONES: Tombstones = {
  size: 0,
  isForgotten: () => false,
  isProfileForgotten: () => false,
  stop() {},
}

/** Follows the deletions. Resolves when those that there are now are known. */
export async function watchTombstones(
  nats: Nats,
  { buckets, privacy }: Pick<Installation<'tombstones'>, 'buckets' | 'privacy'>,
  log: Log,
): Promise<Tombstones> {
  const tombstones = new Map<string, Tombstone>()
  const watching = await watchBucket(
    nats,
    buckets.tombstones,
    entry => {
      const tombstone = entry.operation === 'PUT' ? parseTombstone(entry.value) : undefined
      if (tombstone) tombstones.set(entry.key, tombstone)
      else tombstones.delete(entry.key)
    },
    log,
  )
  const keys = new Map<string, string>()

  /** The messages of a batch mostly name the same ids. */
  function keyOf(siteId: string, kind: IdKind, id: string): string {
    const name = `${siteId}\0${kind}\0${id}`
    let key = keys.get(name)
    if (key === undefined) {
      if (keys.size >= MAX_KEYS) keys.clear()
      key = tombstoneKey(privacy.keyed, siteId, kind, id)
      keys.set(name, key)
    }
    return key
  }

  const finder = (siteId: string) => (kind: IdKind, id: string) => tombstones.get(keyOf(siteId, kind, id))
  return {
    get size() {
      return tombstones.size
    },
    isForgotten: (siteId, named, time) => tombstones.size > 0 && isForgotten(finder(siteId), named, time),
    isProfileForgotten: profile => tombstones.size > 0 && isProfileForgotten(finder(profile.siteId), profile),
    stop: () => watching.stop(),
  }
}

/** Remembers the deletion of each id of a person. Done twice, it changes nothing. @param before ms since the epoch */
export async function writeTombstones(bucket: KV, keyed: KeyedHash, person: Person, before: number): Promise<void> {
  const { siteId, userIds, browsers, anonymousIds } = person
  for (const id of userIds) await write('userId', id, { all: before })
  for (const id of anonymousIds) await write('anonymousId', id, { all: before })
  for (let first = 0; first < browsers.length; first += AT_ONCE)
    await Promise.all(browsers.slice(first, first + AT_ONCE).map(id => write('anonymousId', id, { anonymous: before })))

  async function write(kind: IdKind, id: string, tombstone: Tombstone): Promise<void> {
    const key = tombstoneKey(keyed, siteId, kind, id)
    for (;;) {
      const entry = await bucket.get(key)
      const before = (entry?.operation === 'PUT' && parseTombstone(entry.value)) || {}
      const joined = joinTombstones(before, tombstone)
      if (JSON.stringify(joined) === JSON.stringify(before)) return
      try {
        await bucket.put(key, JSON.stringify(joined), { previousSeq: entry?.revision ?? 0 })
        return
      } catch (error) {
        // Another deletion of the same id was first.
        if ((await bucket.get(key))?.revision === entry?.revision) throw error
      }
    }
  }
}

/** Parses a tombstone as the bucket has it; undefined for anything else. */
function parseTombstone(value: Uint8Array): Tombstone | undefined {
  try {
    const { all, anonymous } = JSON.parse(new TextDecoder().decode(value)) as Tombstone
    return joinTombstones({}, { ...(isTime(all) && { all }), ...(isTime(anonymous) && { anonymous }) })
  } catch {
    return undefined
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
