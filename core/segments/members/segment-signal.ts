import { type EventEnvelope, isoTime, joined, type Profile, type SignalRecord, senderOf } from '@slotstream/protocol'
import { type HashText, signalIdOf } from '../../signals/signal-id.js'
import type { MemberChange } from './members.js'

/** The cause of a change of a person's segments. */
export interface SegmentCause {
  /** The message; absent: a time came, or another partition told. */
  messageId?: string | undefined
  sessionId?: string
  /** The browser whose segments end, because the user it belongs to takes them over. */
  identifiedAs?: string
  /** The browser whose segments the user takes over. */
  from?: string
}

/**
 * Returns the record of a segment that a person entered or left. Its id is made of the person, the segment and the
 * cause, so that it is the same when it is found again.
 */
export function segmentSignal(
  { segment, kind, since, at }: MemberChange,
  cause: SegmentCause,
  { visitorId, anonymousId, userId }: Pick<Profile, 'visitorId' | 'anonymousId' | 'userId'>,
  envelope: Pick<EventEnvelope, 'siteId' | 'sender'>,
  hash: HashText,
): SignalRecord {
  const timestamp = isoTime(at)
  const messageId = cause.messageId ?? `segments@${timestamp}`
  const signal = kind === 'entered' ? 'segment_entered' : 'segment_left'
  return {
    signalId: signalIdOf(
      envelope.siteId,
      senderOf(envelope.sender),
      visitorId,
      messageId,
      joined([signal, segment, timestamp]),
      hash,
    ),
    signal,
    messageId,
    timestamp,
    // Rows are found again by it.
    originalTimestamp: timestamp,
    anonymousId,
    userId,
    sessionId: cause.sessionId ?? '',
    details: {
      segment,
      ...(kind === 'left' && { since: isoTime(since), seconds: Math.max(0, at - since) / 1000 }),
      ...(cause.identifiedAs !== undefined && { reason: 'identified' }),
      ...(cause.from !== undefined && { from: cause.from }),
    },
  }
}
