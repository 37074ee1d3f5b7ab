import { hash } from 'node:crypto'
import { type RejectedEnvelope, type RejectedMessage, streamSubject } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'

/** Characters of payloads and reasons in one stream message at most: as JSON they stay below the broker's 1 MB. */
const MAX_CHARACTERS = 200_000

/** Publishes what profiles did not take of a stream message. Throws when the stream may not have it: call it again. */
export type PublishRefused = (partition: number, envelope: RejectedEnvelope) => Promise<void>

/**
 * Makes the function that publishes refused traits. Publishing them twice is harmless: the broker drops the second for
 * two minutes, and later the warehouse knows them by their time and payload.
 */
export function createPublishRefused(publisher: Pick<Publisher, 'publish'>, metrics: Metrics): PublishRefused {
  const counted = metrics.counter('profiles_traits_refused_total', 'Messages whose traits a profile did not take')

  return async (partition, envelope) => {
    for (const rejected of portions(envelope.rejected)) {
      const parts = rejected.map(({ messageId, payload }) => `${messageId?.length}:${messageId}${payload}`)
      const id = hash('sha256', [envelope.siteId, envelope.receivedAt, ...parts].join('\0'), 'base64url')
      const subject = streamSubject('rejected', partition)
      const { duplicate } = await publisher.publish(subject, JSON.stringify({ ...envelope, rejected }), `traits:${id}`)
      if (!duplicate) counted.inc(rejected.length)
    }
  }
}

/** The list in portions of a bounded size, the same ones each time. */
function* portions(all: RejectedMessage[]): Generator<RejectedMessage[]> {
  let portion: RejectedMessage[] = []
  let characters = 0
  for (const one of all) {
    const size = one.payload.length + one.reason.length
    if (portion.length > 0 && characters + size > MAX_CHARACTERS) {
      yield portion
      portion = []
      characters = 0
    }
    portion.push(one)
    characters += size
  }
  if (portion.length > 0) yield portion
}
