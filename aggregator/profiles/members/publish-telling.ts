import type { Metrics, Publisher } from '@slotstream/runtime'
import type { TellingEnvelope } from '../apply/apply-step.js'
import { portionsOf, publishToVisitor } from '../publish-to-visitor.js'

/**
 * Tells the partitions of a person's other visitors of messages at which patterns of persons look, by the stream of
 * events.
 *
 * @throws when the stream may not have it: call it again
 */
export type PublishTelling = (envelope: TellingEnvelope) => Promise<void>

/** Creates the function that tells of messages. Telling them twice is harmless: a visitor remembers what it heard. */
export function createPublishTelling(
  publisher: Pick<Publisher, 'publish'>,
  partitions: number,
  metrics: Metrics,
): PublishTelling {
  const counted = metrics.counter(
    'profiles_messages_told_total',
    "Messages that another visitor of the person was told of, because patterns look at all of the person's",
  )

  return async ({ siteId, visitorId, receivedAt, seq, visitors, userId, messages, sender }) => {
    for (const [place, portion] of portionsOf(messages).entries())
      for (const other of visitors) {
        const hearsay = { userId, messages: portion }
        const notice = { siteId, visitorId: other, receivedAt, ...(sender && { sender }), hearsay }
        const cause = [visitorId, other, String(seq), String(place)]
        const { duplicate } = await publishToVisitor(publisher, partitions, notice, 'hearsay', cause)
        if (!duplicate) counted.inc({}, portion.length)
      }
  }
}
