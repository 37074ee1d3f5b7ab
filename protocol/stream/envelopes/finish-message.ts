import { idOf } from '../../wire/ids/id-of.js'
import type { MessageContext } from '../../wire/messages.js'
import { NOT_KEPT } from '../../wire/messages.js'
import { isoTime } from '../../wire/times/iso-time.js'
import type { ReceiptTimes } from '../../wire/times/receipt-times.js'
import { correctTime, parseTime } from '../../wire/times/times.js'
import type { StoredMessage } from './stored.js'

/**
 * Returns the message as it is stored, of one that `checkMessage` found good: null is absent, ids that are numbers are
 * text, times are set. The same whenever and wherever it is done. Does not change `raw`.
 *
 * @param added what the server adds to its context; what the message says itself stays
 */
export function finishMessage(
  raw: Record<string, unknown>,
  { received, sent: batchSent, oldest }: ReceiptTimes,
  added?: MessageContext | null,
): StoredMessage {
  const sent = typeof raw.sentAt === 'string' ? parseTime(raw.sentAt) : batchSent
  const client = typeof raw.timestamp === 'string' ? parseTime(raw.timestamp) : undefined
  const corrected = client === undefined ? undefined : correctTime(client, sent, received)
  const time = corrected?.ok ? corrected.timestamp : received
  const isTooOld = oldest !== undefined && time < oldest
  const isClamped = isTooOld || (corrected?.ok === true && corrected.clamped === true)
  const context = added ? withAdded(raw.context as MessageContext | null, added) : (raw.context ?? undefined)
  // A literal with every field it may get, because the engine takes fifty times as long to add fields to a spread
  // copy; JSON leaves out those that stay undefined.
  const copy = {
    messageId: idOf(raw.messageId),
    type: raw.type,
    event: raw.event ?? undefined,
    name: raw.name ?? undefined,
    anonymousId: idOf(raw.anonymousId),
    userId: idOf(raw.userId),
    previousId: idOf(raw.previousId),
    groupId: idOf(raw.groupId),
    timestamp: isoTime(isTooOld ? oldest : time),
    originalTimestamp: client === undefined ? undefined : isoTime(client),
    sentAt: sent === undefined ? undefined : isoTime(sent),
    properties: raw.properties ?? undefined,
    traits: raw.traits ?? undefined,
    context: isClamped ? { ...(context as MessageContext | undefined), timeClamped: true } : context,
  }
  for (const key in raw) if (!HANDLED.has(key)) (copy as Record<string, unknown>)[key] = raw[key]
  return copy as unknown as StoredMessage
}

/**
 * Returns both, the message's own first. Spreading them into one literal would take the engine fifteen times as long.
 */
function withAdded(context: MessageContext | null | undefined, added: MessageContext): MessageContext {
  // To assign this name would change the object's prototype.
  if (context && Object.hasOwn(context, '__proto__')) return { ...added, ...context }
  return Object.assign({}, added, context)
}

/** Fields that are set here, and those that are dropped. */
const HANDLED = new Set([
  '__proto__',
  NOT_KEPT,
  ...['messageId', 'type', 'event', 'name', 'anonymousId', 'userId', 'previousId', 'groupId'],
  ...['timestamp', 'originalTimestamp', 'sentAt', 'properties', 'traits', 'context'],
])
