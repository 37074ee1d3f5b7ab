import type { Msg } from '@nats-io/transport-node'
import {
  isObject,
  MAX_PROFILES_READ,
  type ProfilesReply,
  type ProfilesRequest,
  partitionOf,
  profilesSubject,
} from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import { answerOf } from '../../owners/answer-of.js'

/** How long the owner of a partition may take for one answer, in milliseconds. */
const TIMEOUT_MS = 2_000

/**
 * Reads profiles of a site, with all that is applied by now. Resolves to one for each visitor, in their order;
 * undefined where there is none.
 *
 * @param visitorIds keys of visitors, see `visitorIdOf`
 * @param as see `ProfilesRequest`. Default `described`
 * @throws Failure `unavailable` when one of them cannot be read now
 */
export type ReadProfiles = (
  siteId: string,
  visitorIds: readonly string[],
  as?: 'described' | 'linked',
) => Promise<(object | undefined)[]>

/** Creates the function that asks the owners of the visitors' partitions, all at once. */
export function createReadProfiles(
  nats: Pick<Nats, 'connection' | 'connected'>,
  partitions: number,
  timeoutMs = TIMEOUT_MS,
): ReadProfiles {
  return async (siteId, visitorIds, as = 'described') => {
    const ofPartition = new Map<number, Set<string>>()
    for (const visitorId of visitorIds) {
      const partition = partitionOf(siteId, visitorId, partitions)
      ofPartition.set(partition, (ofPartition.get(partition) ?? new Set()).add(visitorId))
    }
    const profileOf = new Map<string, object>()
    await Promise.all([...ofPartition].map(([partition, ids]) => readOwned(partition, [...ids])))
    return visitorIds.map(visitorId => profileOf.get(visitorId))

    async function readOwned(partition: number, ids: string[]): Promise<void> {
      // An answer may have fewer than were asked for: what does not fit into a message.
      for (let next = 0; next < ids.length; ) {
        const requested = ids.slice(next, next + MAX_PROFILES_READ)
        const profiles = await readOnce(partition, { siteId, visitorIds: requested, as })
        for (const [index, profile] of profiles.entries()) if (profile) profileOf.set(requested[index]!, profile)
        next += profiles.length
      }
    }
  }

  async function readOnce(partition: number, request: ProfilesRequest): Promise<(object | null)[]> {
    const subject = profilesSubject(partition)
    const answer = await answerOf(nats, partition, { subject, timeoutMs, body: () => JSON.stringify(request) })
    const profiles = profilesOf(answer, request.visitorIds.length)
    if (profiles) return profiles
    const reason = answer.headers?.get('Nats-Service-Error') || 'the answer is of another shape'
    throw new Failure('unavailable', `the aggregator of partition ${partition} cannot read the profile: ${reason}`)
  }
}

/**
 * Returns the profiles of a reply; undefined where it is of another shape, as one of another version or program may be.
 */
function profilesOf(answer: Msg, count: number): (object | null)[] | undefined {
  let reply: Partial<ProfilesReply> | null
  try {
    reply = answer.json<Partial<ProfilesReply> | null>()
  } catch {
    return undefined
  }
  const { profiles } = reply ?? {}
  if (!Array.isArray(profiles) || profiles.length === 0 || profiles.length > count) return undefined
  return profiles.every(profile => profile === null || isObject(profile)) ? profiles : undefined
}
