import type { Merge } from '@slotstream/core'
import {
  type EventEnvelope,
  type IdentityChange,
  isoTime,
  type LinkDecision,
  partitionOf,
  streamSubject,
  visitorIdOf,
} from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'

/**
 * Puts a decision about a browser and a user into the stream, for the partitions of both. Resolves when the stream has
 * it twice. It counts before every earlier one, also of a machine whose clock is ahead.
 *
 * @param now milliseconds since the epoch
 * @throws PublishError when the stream may have one of them only: decide once more
 */
export async function decideMerge(
  { publisher, partitions }: { publisher: Pick<Publisher, 'publish'>; partitions: number },
  siteId: string,
  merge: Pick<Merge, 'browser' | 'userId' | 'decision'>,
  { state, cause }: Pick<LinkDecision, 'state' | 'cause'>,
  now: number,
): Promise<LinkDecision> {
  const { browser: anonymousId, userId } = merge
  const decision = { state, at: Math.max(now, (merge.decision?.at ?? 0) + 1), cause }
  const change: IdentityChange = { anonymousId, userId, decision }
  await Promise.all(
    [visitorIdOf({ anonymousId }), visitorIdOf({ userId })].map(visitorId => {
      const receivedAt = isoTime(now)
      const envelope: EventEnvelope = { siteId, visitorId, receivedAt, identity: [change], messages: [] }
      const subject = streamSubject('events', partitionOf(siteId, visitorId, partitions))
      return publisher.publish(subject, JSON.stringify(envelope))
    }),
  )
  return decision
}
