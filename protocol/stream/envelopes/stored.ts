import type { Attribution } from '../../site/catalog.js'
import type { JsonObject, Ledger, Message, MessageContext, RejectionCode } from '../../wire/messages.js'
import type { KeyKind, Sender } from '../../wire/senders.js'
import type { Outcome } from '../../wire/slots.js'
import type { ServedDecision } from '../learning/served.js'
import type { IdentityChange } from '../profile/identity.js'
import type { SegmentNews } from '../profile/segment-news.js'
import type { DrawVersion, RecordedDraw, RecordedFacts, RecordedModel } from './recorded-draw.js'

/** A message as the stream keeps it: checked, with its times set. Times are ISO 8601 in UTC. */
export interface StoredMessage extends Message {
  /** Corrected time: `received − (sent − client)`, never after `receivedAt`. */
  timestamp: string
  /** The client's own time, in UTC; absent when it gave none. Equal in every send of one message. */
  originalTimestamp?: string
}

/** The messages of one visitor in one batch, in order, all by one kind of sender. */
export interface EventEnvelope {
  siteId: string
  visitorId: string
  receivedAt: string
  /** Decided by the collector, never by the client. Absent: `public`, see `senderOf`. */
  sender?: Sender
  /** The sender is no visitor (see `Site.spread`): messages are in any order, and no profile is made of them. */
  spread?: true
  /** Changes of who the visitor is, which another partition told. Absent: none. */
  identity?: IdentityChange[]
  /** A time has come for the visitor without a message, which the partition's owner tells. Absent: none. */
  timer?: EnvelopeTimer
  /** News about the person's segments. Absent: none. */
  segments?: SegmentNews
  /** Decisions that showed something, which the partition's owner tells. Absent: none. */
  served?: ServedDecision[]
  /**
   * Messages of the browser's user that name no browser, by the kind of sender of the envelope: they may be rewards,
   * and nothing else. Absent: none.
   */
  forwarded?: StoredMessage[]
  /** Messages of another visitor of the person, by the kind of sender of the envelope. Absent: none. */
  hearsay?: Hearsay
  messages: StoredMessage[]
}

/**
 * Messages of one visitor that another one of the person is told, because patterns of persons look at them, and for
 * nothing else.
 */
export interface Hearsay {
  /** The user by whom the two are one person. */
  userId: string
  messages: StoredMessage[]
}

/** A time that has come for a visitor, and whose it is. */
export interface EnvelopeTimer {
  /** Milliseconds since the epoch. Absences that are over by then end. */
  at: number
  anonymousId: string
  userId: string
}

/**
 * One stream message of `events.<partition>`: an envelope whose messages are as the client wrote them. See
 * `openEnvelope`.
 */
export interface SentEnvelope extends Omit<EventEnvelope, 'messages'> {
  /** Earliest time that the messages may have, ISO 8601: an earlier one is clamped to it. Absent: any. */
  oldest?: string
  /** When the batch was sent, by the client's clock. */
  sentAt?: string
  /** Fields that are added to each message's context: the same to all, or to each its own. */
  context?: MessageContext | (MessageContext | null)[]
  /** Goes into the context of the last message. */
  ledger?: Ledger
  /** Checked by `checkMessage`, and not changed since. */
  sent?: Record<string, unknown>[]
  /** In place of `sent`: the batch that holds them, and nothing else. */
  body?: { batch: Record<string, unknown>[] }
}

/** One stream message of `rejected.<partition>`. */
export interface RejectedEnvelope {
  siteId: string
  receivedAt: string
  /** Kind of the key they came with. Absent: `public`. */
  sender?: KeyKind
  /** Time and user agent of the request, which are needed to accept the messages once more as they came. */
  sentAt?: string
  userAgent?: string
  rejected: RejectedMessage[]
}

export interface RejectedMessage {
  messageId: string | null
  /**
   * Codes of a client's mistakes, of a row that ClickHouse rejected, of traits that a profile did not take, and
   * `too_many_rejected`: one in the place of many, which are counted in `payload`.
   */
  code: RejectionCode | 'warehouse_refused' | 'profile_too_large' | 'too_many_rejected'
  reason: string
  /** Where in the message, as JSONPath, and the schema that counted: of what breaks the tracking plan. */
  path?: string
  schemaVersion?: string
  /** The message as it came, as JSON text, cut to 32 KB. */
  payload: string
}

/** One stream message of `decisions.<partition>`. */
export interface DecisionEnvelope {
  siteId: string
  visitorId: string
  receivedAt: string
  decisions: DecisionRecord[]
}

/** One candidate of a decision, with the chance the policy gave it in the first position. */
export interface Candidate {
  contentId: string
  score: number
  probability: number
}

/** A content that a decision could not show, and why. */
export interface Excluded {
  contentId: string
  reason: string
  /**
   * In plain words: the clause of the condition that is not met, or how often it was shown. From the third form of
   * records on, absent where it is that of the content before, excluded for the same reason.
   */
  detail?: string
}

/** The record of one answer to one slot request: enough to explain it and to compute it again. */
export interface DecisionRecord {
  decisionId: string
  /** When it was decided, ISO 8601. */
  timestamp: string
  slotId: string
  anonymousId: string
  userId?: string
  sessionId?: string
  pageViewId?: string
  /** Type of the policy that drew, `default`, or that of an imported log. */
  policy: string
  policyVersion: string
  outcome: Outcome
  holdout: boolean
  /** Form of the record. Absent: the first one, whose draw follows from `candidates` */
  recordVersion?: DrawVersion
  /** How orders are credited to clicks on it, by the slot as it was. Absent: `DEFAULT_ATTRIBUTION`. */
  attribution?: Attribution
  /** Content that was shown, by rank. */
  contentIds: string[]
  /** For each of `contentIds`: the probability with which it was drawn for its position, given those before it. */
  propensities: number[]
  /** First position of the list on the page; above 1 only in imported logs that record one row per position. */
  position: number
  /** All candidates, or, where there are many, what was shown and the most likely ones: `draw` has all. */
  candidates: Candidate[]
  /** Content that was not eligible, or, where there is much, some of it. */
  excluded: Excluded[]
  /** The visitor's state that the policy used. */
  features: JsonObject
  /** Seed of the draw. */
  seed: string
  /** All of the draw. Absent: nothing was asked of a policy, or the record has the first form */
  draw?: RecordedDraw
  /** Extent of what the slot had learned. Absent: nothing */
  model?: RecordedModel
  /**
   * When the matrix of items that the policy ranked by was fitted, in milliseconds since the epoch. Absent: it had none
   */
  itemsAsOf?: number
  /** Facts that the policy read beside interests. Absent: none, or a record of before they were kept */
  known?: RecordedFacts
  /** Campaigns that chose what was shown, the first position's first. Absent: none */
  campaigns?: string[]
  /** Of an ensemble: numbers of the policies that were followed, the outermost first. */
  arms?: number[]
  /** Experiment that the slot was in, and the person's arm. Absent: none */
  experiment?: string
  arm?: string
  /** Shares of the experiment's arms at the time, in their order; without one, of those held out and of the others. */
  armShares?: number[]
  /** Person by whom arms are shared out: the user, else the browser. Absent: neither experiment nor holdout */
  personId?: string
  /** Content that the person would have been shown, by rank, of those who are held out. Absent: they are not */
  ghost?: string[]
  /** Time from the request to the decision, in milliseconds. */
  latencyMs?: number
}
