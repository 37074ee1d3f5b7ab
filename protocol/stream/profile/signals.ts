import type { JsonObject } from '../../wire/messages.js'

/** The detectors' memory in a profile, of bounded size. Absent: nothing yet. */
export interface SignalMemory {
  /** Interests as far as a shift is found by them; of older profiles the category that leads. */
  interest_shift?: string | InterestMemory
  /**
   * Messages and page views of the running session within a minute that began at `since`, in milliseconds since the
   * epoch.
   */
  session_anomaly?: { since: number; messages: number; pageViews: number; told?: true }
  /** The latest products of the running session: a hash of each one's id, and how often it was viewed. */
  repeated_view?: [product: number, views: number][]
}

/** Interests by category, as the detector of shifts remembers them. */
export interface InterestMemory {
  /** The category that leads. Absent: none does yet. */
  leading?: string
  /** The one that it took the lead from while that is still the strongest over time. */
  passed?: string
  /** Messages by category before the latest ones: decayed numbers, as of `at` (milliseconds since the epoch). */
  base: Record<string, number>
  at: number
  /**
   * The latest messages, oldest first: their times, categories, a hash of the product, 0 for none, and how many
   * messages were about it.
   */
  recent: [at: number, categories: string[], product: number, messages: number][]
}

/** Something that was detected when a message was applied to its visitor's profile. Times are ISO 8601 in UTC. */
export interface SignalRecord {
  /** Made of the message and the signal's name: it is the same when the signal is detected again. */
  signalId: string
  /** Name of a detector, see `SIGNALS`, or of a pattern. */
  signal: string
  /** The message that it was found at, with its times; of a pattern see `Match`. */
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
