import { hash } from 'node:crypto'
import { type RejectedEnvelope, type RejectedMessage, streamSubject } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'

/** Characters of payloads and reasons in one stream message at most: as JSON they stay below the broker's 1 MB. */
const MAX_CHARACTERS = 200_000

/**
 * Publishes the traits of a stream message that profiles did not take.
 *
 * @throws when the stream may not have them: call it again
 */
export type PublishRejected = (partition: number, envelope: RejectedEnvelope) => Promise<void>

/**
 * Creates the function that publishes rejected traits. Publishing them twice is harmless: the broker drops the second
 * message for two minutes, and later the warehouse recognises them by their time and payload.
 */
export function createPublishRejected(publisher: Pick<Publisher, 'publish'>, metrics: Metrics): PublishRejected {
  const counted = metrics.renamedCounter(
    { name: 'profiles_traits_rejected_total', formerName: 'profiles_traits_refused_total' },
    'Messages whose traits a profile did not take',
  )

  return async (partition, envelope) => {
    for (const rejected of portions(envelope.rejected)) {
      const parts = rejected.map(({ messageId, payload }) => `${messageId?.length}:${messageId}${payload}`)
      const id = hash('sha256', [envelope.siteId, envelope.receivedAt, ...parts].join('\0'), 'base64url')
      const subject = streamSubject('rejected', partition)
      const { duplicate } = await publisher.publish(subject, JSON.stringify({ ...envelope, rejected }), `traits:${id}`)
      if (!duplicate) counted.inc({}, rejected.length)
    }
  }
}

/** Divides the list into portions of a bounded size, the same ones each time. */
function* portions(messages: RejectedMessage[]): Generator<RejectedMessage[]> {
  let portion: RejectedMessage[] = []
  let characters = 0
  for (const message of messages) {
    const size = message.payload.length + message.reason.length
    if (portion.length > 0 && characters + size > MAX_CHARACTERS) {
      yield portion
      portion = []
      characters = 0
    }
    portion.push(message)
    characters += size
  }
  if (portion.length > 0) yield portion
}
