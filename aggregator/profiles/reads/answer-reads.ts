import type { Msg } from '@nats-io/transport-node'
import { withIds } from '@slotstream/core'
import {
  type LinkedVisitor,
  type Profile,
  type ProfilesReply,
  type ProfilesView,
  profilesSubject,
} from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { answerPartitions, type PartitionAnswers, respondWithError } from '../../ownership/answer-partitions.js'
import { parseReadRequest, readReply } from './read-request.js'

/** Largest message of NATS where the server has not said, in bytes: its default. */
const MAX_PAYLOAD = 1024 ** 2

export interface ReadsDeps {
  nats: Pick<Nats, 'connection'>
  partitions: number
  /** Resolves to the visitor's profile, with all that is applied by now. */
  profileOf: (siteId: string, visitorId: string) => Promise<Profile | undefined>
  /** Describes a visitor's profile with the person, see `describeProfile`. */
  describe: (profile: Profile) => Promise<object>
  /** Returns whether this process may answer for the partition at this moment. */
  serves: (partition: number) => boolean
  holds: (partition: number) => boolean
  log: Log
}

/**
 * Creates the answers to a `ProfilesRequest`: of partitions that this process serves, a `ProfilesReply`; where the
 * request is not valid, a reply without profiles and the headers of a NATS service error.
 */
export function answerReads({
  nats,
  partitions,
  profileOf,
  describe,
  serves,
  holds,
  log,
}: ReadsDeps): PartitionAnswers {
  return answerPartitions({ nats, subjectOf: profilesSubject, answer, kind: 'requests for profiles', log })

  async function answer(message: Msg, partition: number): Promise<void> {
    // After a pause, say, another process may have taken over, and answers.
    if (!serves(partition)) return
    const request = parseReadRequest(message.data, partition, partitions)
    if (!request.ok) return refuse(message, 400, request.reason)
    const { siteId, visitorIds, as } = request.value
    const stored = await Promise.all(visitorIds.map(visitorId => profileOf(siteId, visitorId)))
    const profiles = await Promise.all(stored.map(profile => profile && shown(profile, as)))
    if (!holds(partition)) return
    const reply = readReply(profiles, nats.connection.info?.max_payload ?? MAX_PAYLOAD)
    if (reply === undefined) return refuse(message, 413, 'the profile is larger than a message of NATS')
    message.respond(reply)
  }

  function shown(profile: Profile, as: ProfilesView = 'stored'): object | Promise<object> {
    if (as === 'described') return describe(profile)
    return as === 'linked' ? linkedVisitor(profile) : profile
  }

  function refuse(message: Msg, code: number, reason: string): void {
    log.error({ subject: message.subject, reason }, 'a request for profiles cannot be answered')
    respondWithError(message, code, reason, { profiles: [] } satisfies ProfilesReply)
  }
}

function linkedVisitor(profile: Profile): LinkedVisitor {
  const { visitorId, anonymousId, userId, links } = withIds(profile)
  return { visitorId, anonymousId, userId, ...(links && { links }) }
}
