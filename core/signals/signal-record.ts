import { type EventEnvelope, type Profile, type SignalRecord, type StoredMessage, senderOf } from '@slotstream/protocol'
import type { Detected } from './detect.js'
import { type HashText, signalIdOf } from './signal-id.js'

/** Returns the record of a signal. All of it follows from the stream, so that a replay makes the same one. */
export function signalRecord(
  { signal, sessionId, details }: Detected,
  message: StoredMessage,
  after: Profile,
  envelope: Pick<EventEnvelope, 'siteId' | 'sender'>,
  hash: HashText,
): SignalRecord {
  const { messageId, timestamp, originalTimestamp, sentAt, context } = message
  return {
    signalId: signalIdOf(envelope.siteId, senderOf(envelope.sender), after.visitorId, messageId, signal, hash),
    signal,
    messageId,
    timestamp,
    ...(originalTimestamp !== undefined && { originalTimestamp }),
    // Without it the time proves nothing, as a clamped one doesn't: see the rows of signals.
    ...(sentAt !== undefined && context?.timeClamped !== true && { sentAt }),
    anonymousId: after.anonymousId,
    userId: after.userId,
    sessionId,
    details,
  }
}
