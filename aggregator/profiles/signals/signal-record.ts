import { hash } from 'node:crypto'
import type { Profile, SignalRecord, StoredMessage } from '@slotstream/protocol'
import type { Found } from './detect.js'

/** Characters of an id: 132 bits of a hash. */
const ID_LENGTH = 22

/** The record of a signal. All of it follows from the stream, so that a replay makes the same one. */
export function signalRecord(
  { signal, sessionId, details }: Found,
  message: StoredMessage,
  after: Profile,
): SignalRecord {
  const { messageId, timestamp, originalTimestamp, sentAt } = message
  return {
    signalId: signalId(after.visitorId, messageId, signal),
    signal,
    messageId,
    timestamp,
    ...(originalTimestamp !== undefined && { originalTimestamp }),
    ...(sentAt !== undefined && { sentAt }),
    anonymousId: after.anonymousId,
    userId: after.userId,
    sessionId,
    details,
  }
}

/** Message ids are a visitor's own. The lengths keep the parts apart. */
function signalId(...parts: string[]): string {
  const text = parts.map(part => `${part.length}:${part}`).join('')
  return hash('sha256', text, 'base64url').slice(0, ID_LENGTH)
}
