import {
  byteLength,
  type Check,
  isSiteId,
  isVisitorId,
  MAX_PROFILES_READ,
  type ProfilesRequest,
  parseStored,
  partitionOf,
} from '@slotstream/protocol'

/** Around the profiles of a reply. */
const HEAD = '{"profiles":['
const TAIL = ']}'

/**
 * Parses a request on `profile.<partition>`. Collectors send what they have checked; another version of the collector
 * or a foreign program may not. A visitor of another partition is rejected: only the owner of that one knows the
 * profile.
 */
export function parseReadRequest(data: Uint8Array, partition: number, partitions: number): Check<ProfilesRequest> {
  return parseStored<ProfilesRequest>(data, raw => {
    const { siteId, visitorIds, as = 'stored' } = (raw ?? {}) as { [Field in keyof ProfilesRequest]?: unknown }
    if (!isSiteId(siteId)) return { ok: false, reason: 'siteId is not a site’s id' }
    if (!Array.isArray(visitorIds) || visitorIds.length === 0 || visitorIds.length > MAX_PROFILES_READ)
      return { ok: false, reason: `visitorIds is not a list of 1 to ${MAX_PROFILES_READ} visitors` }
    if (!visitorIds.every(isVisitorId)) return { ok: false, reason: 'visitorIds has an entry that is no visitor’s key' }
    if (!visitorIds.every(id => partitionOf(siteId, id, partitions) === partition))
      return { ok: false, reason: `visitorIds has a visitor of another partition than ${partition}` }
    if (as !== 'stored' && as !== 'described' && as !== 'linked')
      return { ok: false, reason: 'as is neither stored nor described nor linked' }
    return { ok: true, value: { siteId, visitorIds, as } }
  })
}

/** Writes a `ProfilesReply` of as many of the profiles as fit; undefined where not even the first one does. */
export function readReply(profiles: readonly (object | undefined)[], maxBytes: number): string | undefined {
  const texts: string[] = []
  let bytes = HEAD.length + TAIL.length
  for (const profile of profiles) {
    const text = profile ? JSON.stringify(profile) : 'null'
    bytes += byteLength(text) + (texts.length > 0 ? 1 : 0)
    if (bytes > maxBytes) break
    texts.push(text)
  }
  return texts.length > 0 ? `${HEAD}${texts.join(',')}${TAIL}` : undefined
}
