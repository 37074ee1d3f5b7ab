import { applyAndDetect } from '@slotstream/core'
import type { EventEnvelope, Profile, RejectedEnvelope, SignalEnvelope } from '@slotstream/protocol'
import { hashText } from '../../hash-text.js'

/** Outcome of applying a message of the stream: the label `result` of the metric `profiles_messages_total`. */
export type ApplyOutcome = 'applied' | 'replayed' | 'bad'

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
  /** Why the message could not be applied, of outcome `bad`. */
  error?: unknown
}

/**
 * Applies a message of the stream to its visitor's profile. Pure.
 *
 * @param anonymousDays see `applyAndDetect`
 */
export function applyStep(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  anonymousDays?: number,
): StepResult {
  const { siteId, visitorId, receivedAt } = envelope
  const messages = envelope.messages.length
  try {
    const { profile: after, signals, refused } = applyAndDetect(profile, envelope, seq, hashText, anonymousDays)
    const isReplayed = after !== undefined && after === profile
    return {
      outcome: isReplayed ? 'replayed' : 'applied',
      messages,
      ...(after && !isReplayed && { profile: after }),
      ...(signals.length > 0 && { signals: { siteId, visitorId, receivedAt, signals } }),
      ...(refused && { rejected: { siteId, receivedAt, rejected: refused } }),
    }
  } catch (error) {
    return { outcome: 'bad', messages, error }
  }
}
