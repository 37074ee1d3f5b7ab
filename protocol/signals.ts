import type { JsonObject } from './messages.js'

/** What can be detected in the stream; docs/signals.md says when each is found. */
export const SIGNALS = ['interest_shift', 'session_anomaly', 'repeated_view'] as const

export type SignalName = (typeof SIGNALS)[number]

/** Something that was detected when a message was applied to its visitor's profile. Times are ISO 8601 in UTC. */
export interface SignalRecord {
  /** Made of the message and the signal's name: whoever detects it again gives it the same one. */
  signalId: string
  signal: SignalName
  /** The message that it was found at, with its times. */
  messageId: string
  timestamp: string
  originalTimestamp?: string
  sentAt?: string
  anonymousId: string
  userId: string
  sessionId: string
  details: JsonObject
}

/** One stream message of `signals.<partition>`: what was detected in one message of `events.<partition>`. */
export interface SignalEnvelope {
  siteId: string
  visitorId: string
  /** That of the messages. */
  receivedAt: string
  signals: SignalRecord[]
}
