import {
  type EventEnvelope,
  isoTime,
  joined,
  type Profile,
  SENDERS,
  type Sender,
  type SignalRecord,
} from '@slotstream/protocol'
import type { Match } from '../patterns/compiled.js'
import { type HashText, signalIdOf } from '../signals/signal-id.js'

/** Ids of messages that say of which kind their sender is. */
const WITH_SENDER = new RegExp(`^(${SENDERS.join('|')})\n(.*)$`, 's')

/**
 * Returns a message's id as patterns remember it. A match may be found long after its message, at one of another kind
 * of sender; its id has to name the sender, because ids of two kinds are never equal.
 */
export function idWithSender(sender: Sender, messageId: string): string {
  return sender === 'public' && !WITH_SENDER.test(messageId) ? messageId : `${sender}\n${messageId}`
}

/**
 * Returns the record of a pattern that was found, or refuted. It follows from the match and the visitor alone, so that
 * it is the same whether a message or a timer found it. A refutation has an id of its own, and names the first record.
 */
export function patternSignal(
  { pattern, id, messageId, sessionId, at, details, retracted }: Match,
  { visitorId, anonymousId, userId }: Profile,
  { siteId }: Pick<EventEnvelope, 'siteId'>,
  hash: HashText,
): SignalRecord {
  const [, sender = 'public', ownId = messageId] = WITH_SENDER.exec(messageId) ?? []
  const idOf = (matchId: string) => signalIdOf(siteId, sender as Sender, visitorId, matchId, pattern, hash)
  const timestamp = isoTime(at)
  return {
    signalId: idOf(retracted ? joined([id, 'retracted']) : id),
    signal: pattern,
    messageId: ownId,
    timestamp,
    // Rows are found again by it: it must not differ where the match is found at another message.
    originalTimestamp: timestamp,
    anonymousId,
    userId,
    sessionId,
    details: retracted ? { ...details, retracted: true, signal_id: idOf(id) } : details,
  }
}
