import { formerSignalIdOf, signalIdOf } from '@slotstream/core'
import { parseSignalEnvelope, type SignalRecord } from '@slotstream/protocol'
import { hashText } from '../../hash-text.js'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/** Rows of `detected_signals`: one per signal of the envelope. */
export function signalRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, visitorId, receivedAt, signals } = read(message)
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
        ...formerId(siteId, visitorId, signal),
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

/**
 * Returns the id that a signal had before ids named the site: a replay of such messages finds it again, and the table
 * has it under that id. Those were of public messages only.
 */
function formerId(siteId: string, visitorId: string, { signalId, messageId, signal }: SignalRecord) {
  if (signalId !== signalIdOf(siteId, 'public', visitorId, messageId, signal, hashText)) return {}
  return { formerId: formerSignalIdOf(visitorId, messageId, signal, hashText) }
}

const read = (message: SourceMessage) => readMessage(message, parseSignalEnvelope)
const payloadOf = (message: SourceMessage, index: number) => () => read(message).signals[index]
