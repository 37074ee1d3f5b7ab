import { type ApplyRules, applyAndDetect, type Forward, type Telling, type UserNews } from '@slotstream/core'
import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  type LearningEnvelope,
  type Profile,
  type RejectedEnvelope,
  type SignalEnvelope,
} from '@slotstream/protocol'
import { hashText } from '../../hash-text.js'

/** Outcome of applying a message of the stream: the label `result` of the metric `profiles_messages_total`. */
export type ApplyOutcome = 'applied' | 'replayed' | 'bad'

/** Changes of a visitor's identity in one message of the stream. */
export interface IdentityEnvelope {
  siteId: string
  /** The visitor whose messages say so, and whose profile has it. */
  visitorId: string
  receivedAt: string
  changes: IdentityChange[]
}

/** News about one of a user's browsers, for the partition of the user. */
export interface NewsEnvelope {
  siteId: string
  receivedAt: string
  /** Place of what it was found at in the stream of the browser's partition. */
  seq: number
  news: UserNews
}

/** Learning records of one message of the stream. How far the partition is stored is added when they are published. */
export type UntoldLearning = Omit<LearningEnvelope, 'stored'>

/** Rewards of a user, for the partitions of the user's browsers. */
export interface ForwardEnvelope extends Forward {
  siteId: string
  visitorId: string
  receivedAt: string
  /** Place of what it was found at in the stream of the user's partition. */
  seq: number
}

/** Messages that the other visitors of a person are told. */
export interface TellingEnvelope extends Telling {
  siteId: string
  /** The visitor whose partition tells. */
  visitorId: string
  receivedAt: string
  /** Place of what it was found at in the stream of that partition. */
  seq: number
}

/** The result of one message of the stream. */
export interface StepResult {
  outcome: ApplyOutcome
  /** Messages of the visitor that it carried; 1 where it could not be parsed. */
  messages: number
  /** The profile after it; absent where the message did not change it. */
  profile?: Profile
  /** Signals detected in it; absent where there are none. */
  signals?: SignalEnvelope
  /** Messages whose traits the profile did not take; absent where it took all. */
  rejected?: RejectedEnvelope
  /** Changes of identity for the partitions of others; absent where there are none. */
  identity?: IdentityEnvelope
  /** News about segments for the partitions of users; absent where there is none. */
  news?: NewsEnvelope[]
  /** Messages for the person's other visitors; absent where there are none. */
  tellings?: TellingEnvelope[]
  /** Learning records; absent where there are none. */
  learning?: UntoldLearning
  /** Messages of a user that the user's browsers have to be told; absent where there are none. */
  forward?: ForwardEnvelope
  /** The features of the profile were narrowed, or narrowed further. */
  narrowed?: true
  /** The error why the message could not be applied, of outcome `bad`. */
  error?: unknown
}

/**
 * Applies a message of the stream to its visitor's profile. Pure.
 */
export function applyStep(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  rules?: ApplyRules,
): StepResult {
  const { siteId, visitorId, receivedAt } = envelope
  const messages = envelope.messages.length
  try {
    const applied = applyAndDetect(profile, envelope, seq, hashText, rules)
    const {
      profile: after,
      signals,
      refused,
      identity,
      userNews,
      tellings,
      learning,
      contents,
      forward,
      narrowed,
    } = applied
    const isReplayed = after !== undefined && after === profile
    const result: StepResult = { outcome: isReplayed ? 'replayed' : 'applied', messages }
    if (after && !isReplayed) result.profile = after
    if (signals.length > 0) result.signals = { siteId, visitorId, receivedAt, signals }
    if (refused) result.rejected = { siteId, receivedAt, rejected: refused }
    if (identity) result.identity = { siteId, visitorId, receivedAt, changes: identity }
    if (learning || contents)
      result.learning = { ...ofVisitor(envelope, after), seq, records: learning ?? [], ...(contents && { contents }) }
    if (narrowed && !isReplayed) result.narrowed = narrowed
    if (forward) result.forward = { siteId, visitorId, receivedAt, seq, ...forward }
    if (tellings) result.tellings = tellings.map(telling => ({ siteId, visitorId, receivedAt, seq, ...telling }))
    if (userNews) result.news = userNews.map(news => ({ siteId, receivedAt, seq, news }))
    return result
  } catch (error) {
    return { outcome: 'bad', messages, error }
  }
}

/** Returns whose records these are. A visitor of whom nothing but decisions is known is named by its key. */
function ofVisitor({ siteId, visitorId, receivedAt }: EventEnvelope, after: Profile | undefined) {
  const ids = idsOfVisitor(visitorId)
  return {
    ...{ siteId, visitorId, receivedAt },
    anonymousId: after?.anonymousId || ids.anonymousId,
    userId: after?.userId || ids.userId,
  }
}
