import type { Metrics, Publisher } from '@slotstream/runtime'
import type { TellingEnvelope } from '../apply/apply-step.js'
import { createPassOn } from '../publish-to-visitor.js'

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
  const passOn = createPassOn(publisher, partitions, 'hearsay', messages => counted.inc({}, messages))

  return ({ visitors, userId, ...envelope }) =>
    passOn(envelope, visitors, messages => ({ hearsay: { userId, messages } }))
}
