import { senderOf } from '../../wire/senders.js'
import { parseTime } from '../../wire/times/times.js'
import { finishMessage } from './finish-message.js'
import type { EventEnvelope, SentEnvelope } from './stored.js'

/**
 * Returns what a stream message of `events.<partition>` holds, ready to be read. Collectors publish messages in the
 * text that the client sent, which costs them less than writing it again, and leave it to readers to finish them. An
 * envelope that holds finished messages, as any program may publish, is returned as it is.
 */
export function openEnvelope(envelope: EventEnvelope | SentEnvelope): EventEnvelope {
  if ('messages' in envelope) return envelope
  const { sent, body, sentAt, context, ledger, oldest, sender, ...rest } = envelope
  const batchSent = sentAt === undefined ? undefined : parseTime(sentAt)
  const earliest = oldest === undefined ? undefined : parseTime(oldest)
  const arrival = {
    received: parseTime(rest.receivedAt) ?? Number.NaN,
    ...(batchSent === undefined ? {} : { sent: batchSent }),
    ...(earliest === undefined ? {} : { oldest: earliest }),
  }
  const messages = (sent ?? body?.batch ?? []).map((raw, index) =>
    finishMessage(raw, arrival, Array.isArray(context) ? context[index] : context),
  )
  const last = messages.at(-1)
  if (last && ledger) last.context = { ...last.context, ledger }
  const senderKind = senderOf(sender)
  if (senderKind !== 'public') return { ...rest, sender: senderKind, messages }
  return { ...rest, messages }
}
