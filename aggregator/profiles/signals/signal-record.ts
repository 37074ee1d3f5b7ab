import { hash } from 'node:crypto'
import {
  type EventEnvelope,
  joined,
  type Profile,
  type SignalRecord,
  type StoredMessage,
  senderOf,
} from '@slotstream/protocol'
import type { Found } from './detect.js'

/** Characters of an id: 132 bits of a hash. */
const ID_LENGTH = 22

/** The record of a signal. All of it follows from the stream, so that a replay makes the same one. */
export function signalRecord(
  { signal, sessionId, details }: Found,
  message: StoredMessage,
  after: Profile,
  envelope: Pick<EventEnvelope, 'siteId' | 'sender' | 'isFormer'>,
): SignalRecord {
  const { messageId, timestamp, originalTimestamp, sentAt, context } = message
  return {
    signalId: signalId(envelope, [after.visitorId, messageId, signal]),
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

/**
 * Message ids are a visitor's own, of one kind of sender, and visitors a site's. Messages that were stored before ids knew
 * sites keep the ids that their signals have in the warehouse already: a replay must find them there.
 */
function signalId({ siteId, sender, isFormer }: Parameters<typeof signalRecord>[3], ids: string[]): string {
  const parts = isFormer ? ids : [siteId, senderOf(sender), ...ids]
  return hash('sha256', joined(parts), 'base64url').slice(0, ID_LENGTH)
}
