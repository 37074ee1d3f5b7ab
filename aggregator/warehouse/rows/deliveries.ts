import { parseDeliveryEnvelope } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/** Rows of `webhook_deliveries`: one per attempt of the envelope. */
export function deliveryRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, receivedAt, deliveries } = read(message)
  const partition = partitionOfSubject(message.subject, 1)
  return deliveries.map((delivery, index) => {
    const { attemptId, anonymousId, userId, nextAt } = delivery
    const timestamp = storableTime(delivery.timestamp)
    const attemptedAt = storableTime(delivery.attemptedAt)
    return {
      line: jsonLine({
        site_id: siteId,
        attempt_id: attemptId,
        webhook_id: delivery.webhookId,
        delivery_id: delivery.deliveryId,
        signal_id: delivery.signalId,
        signal: delivery.signal,
        timestamp,
        anonymous_id: anonymousId,
        user_id: userId,
        attempted_at: attemptedAt,
        attempt: delivery.attempt,
        outcome: delivery.outcome,
        status: delivery.status,
        error: delivery.error,
        duration_ms: delivery.durationMs,
        next_at: nextAt === undefined ? null : storableTime(nextAt),
        received_at: receivedAt,
        stream_seq: seq,
        batch_index: index,
      }),
      seq,
      index,
      // Made by the server that attempted, whose clock set the time.
      key: { siteId, visitor: '', id: attemptId, time: attemptedAt, happened: attemptedAt, receivedAt },
      source: {
        siteId,
        partition,
        receivedAt,
        messageId: attemptId,
        // The person did what the signal tells of: what is from before a deletion goes, whenever it is delivered.
        person: { anonymousId, userId, time: timestamp },
        payload: payloadOf(message, index),
      },
    }
  })
}

const read = (message: SourceMessage) => readMessage(message, parseDeliveryEnvelope)
const payloadOf = (message: SourceMessage, index: number) => () => read(message).deliveries[index]
