import type { SignalEnvelope } from '@slotstream/protocol'
import { jsonLine, partitionOfSubject, storableTime } from './line.js'
import type { Row, SourceMessage } from './row.js'

/** Rows of `detected_signals`: one per signal of the envelope. */
export function signalRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, receivedAt, signals } = read(message)
  const partition = partitionOfSubject(message.subject, 1)
  return signals.map((signal, index) => {
    const { signalId, messageId, timestamp, originalTimestamp, sentAt } = signal
    const original = originalTimestamp === undefined ? undefined : storableTime(originalTimestamp)
    return {
      line: jsonLine({
        site_id: siteId,
        signal_id: signalId,
        signal: signal.signal,
        message_id: messageId,
        timestamp: storableTime(timestamp),
        original_timestamp: original ?? receivedAt,
        anonymous_id: signal.anonymousId,
        user_id: signal.userId,
        session_id: signal.sessionId,
        details: signal.details,
        received_at: receivedAt,
        stream_seq: seq,
        batch_index: index,
      }),
      seq,
      index,
      // As for the message itself: see the rows of events.
      key: {
        siteId,
        visitor: '',
        id: signalId,
        receivedAt,
        ...(original === undefined ? {} : { time: original }),
        ...(original === undefined || sentAt === undefined ? {} : { happened: timestamp }),
      },
      source: {
        siteId,
        partition,
        receivedAt,
        messageId,
        person: { anonymousId: signal.anonymousId, userId: signal.userId, time: timestamp },
        payload: payloadOf(message, index),
      },
    }
  })
}

const read = (message: SourceMessage) => JSON.parse(message.text) as SignalEnvelope
const payloadOf = (message: SourceMessage, index: number) => () => read(message).signals[index]
