import { profileBytes } from '@slotstream/core'
import {
  type Check,
  isObject,
  type Profile,
  type ProfilesRequest,
  parseProfile,
  parseStored,
  partitionOf,
  profilesSubject,
  visitorText,
} from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'

/** Time that the owner of another partition may take, in milliseconds. */
const TIMEOUT_MS = 1_000

/** Age up to which a profile that was read from another process is used again, in milliseconds. */
const FRESH_MS = 1_000

/** Profiles of other processes that are remembered, and their bytes, as `profileBytes` counts them. */
const MAX_REMEMBERED = 10_000
const MAX_REMEMBERED_BYTES = 32 * 1024 * 1024

/** A profile, or none, and when it was read from its owner, in milliseconds since the epoch. */
export interface ReadProfile {
  profile: Profile | undefined
  readAt: number
}

/**
 * Reads profiles of a site, whichever process owns them, in the order of the keys.
 *
 * @throws when an owner does not answer
 */
export type ReadStored = (siteId: string, visitorIds: readonly string[]) => Promise<ReadProfile[]>

export interface ReadStoredDeps {
  nats: Pick<Nats, 'connection'>
  partitions: number
  profileOf: (siteId: string, visitorId: string) => Promise<Profile | undefined>
  serves: (partition: number) => boolean
  /**
   * Returns the time up to which nothing that was read before is used again, in milliseconds since the epoch. Default:
   * 0
   */
  staleBefore?: (siteId: string) => number
  now?: () => number
}

/**
 * Creates the function that reads profiles: this process's own from memory, others by request, at most a second old.
 */
export function createReadStored(deps: ReadStoredDeps): ReadStored {
  const { nats, partitions, profileOf, serves, staleBefore = () => 0, now = Date.now } = deps
  const remembered = new Map<string, ReadProfile>()
  let bytes = 0

  return (siteId, visitorIds) => Promise.all(visitorIds.map(visitorId => readOne(siteId, visitorId)))

  async function readOne(siteId: string, visitorId: string): Promise<ReadProfile> {
    const partition = partitionOf(siteId, visitorId, partitions)
    if (serves(partition)) return { profile: await profileOf(siteId, visitorId), readAt: now() }
    const key = visitorText(siteId, visitorId)
    const cached = remembered.get(key)
    if (cached && cached.readAt > Math.max(now() - FRESH_MS, staleBefore(siteId))) return cached
    const readAt = now()
    const read = { profile: await request(partition, { siteId, visitorIds: [visitorId] }), readAt }
    forget(key)
    remembered.set(key, read)
    bytes += bytesOf(read)
    for (const [oldest, { readAt }] of remembered) {
      const isFresh = readAt > now() - FRESH_MS
      if (isFresh && remembered.size <= MAX_REMEMBERED && bytes <= MAX_REMEMBERED_BYTES) break
      forget(oldest)
    }
    return read
  }

  function forget(key: string): void {
    const earlier = remembered.get(key)
    if (earlier && remembered.delete(key)) bytes -= bytesOf(earlier)
  }

  async function request(partition: number, query: ProfilesRequest): Promise<Profile | undefined> {
    const body = JSON.stringify(query)
    const answer = await nats.connection.request(profilesSubject(partition), body, { timeout: TIMEOUT_MS })
    const parsed = parseStored(answer.data, parseReply)
    if (!parsed.ok) throw new Error(`the owner of partition ${partition} answered what is no profile: ${parsed.reason}`)
    return parsed.value
  }
}

function parseReply(raw: unknown): Check<Profile | undefined> {
  const list = isObject(raw) ? raw.profiles : undefined
  if (!Array.isArray(list) || list.length !== 1) return { ok: false, reason: 'profiles is not a list of one' }
  return list[0] === null ? { ok: true, value: undefined } : parseProfile(list[0])
}

/** A profile that there is none of takes some memory, too. */
function bytesOf({ profile }: ReadProfile): number {
  return profile ? profileBytes(profile) : 256
}
