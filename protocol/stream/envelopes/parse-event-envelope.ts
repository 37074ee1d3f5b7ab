import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import {
  isAbsentOr,
  isId,
  isIdOrEmpty,
  isListOf,
  isSiteId,
  isText,
  isVisitorId,
  misfit,
} from '../../wire/checks/parse-stored.js'
import { MAX_BATCH_MESSAGES, MAX_NAME_LENGTH } from '../../wire/limits.js'
import { MESSAGE_TYPES, type MessageType } from '../../wire/messages.js'
import { isSender } from '../../wire/senders.js'
import { parseTime } from '../../wire/times/times.js'
import { isServedDecisions } from '../learning/check-served.js'
import { isIdentityChange } from '../profile/identity.js'
import { isSegmentNews } from '../profile/segment-news.js'
import { openEnvelope } from './open-envelope.js'
import type { EventEnvelope, SentEnvelope } from './stored.js'

/**
 * Parses a message of `events.<partition>`, with its messages finished. Every event pays for it, once in each role, so
 * the fields are named one by one: a loop over a list of names costs the engine three times as much.
 */
export function parseEventEnvelope(raw: unknown): Check<EventEnvelope> {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  // A finished message has times of its own; whether they are usable is looked at where they are used.
  const trouble = originTrouble(raw, raw.messages === undefined ? isTime : isText)
  if (trouble) return misfit(trouble)
  if (!isAbsentOr(raw.sender, isSender)) return misfit('sender is none that there is')
  if (!isAbsentOr(raw.identity, changes => isListOf(changes, isIdentityChange)))
    return misfit('identity is not a list of changes')
  if (!isAbsentOr(raw.timer, isTimer)) return misfit('timer is of another shape')
  if (!isAbsentOr(raw.segments, isSegmentNews)) return misfit('segments are of another shape')
  if (!isAbsentOr(raw.served, isServedDecisions)) return misfit('served are no decisions')
  const untold = passedOnTrouble(raw)
  if (untold) return misfit(untold)
  const list = raw.messages ?? raw.sent ?? (isObject(raw.body) ? raw.body.batch : undefined)
  if (!Array.isArray(list) || !list.every(isObject)) return misfit('messages is not a list of objects')
  let envelope: EventEnvelope
  try {
    envelope = openEnvelope(raw as unknown as EventEnvelope | SentEnvelope)
  } catch {
    return misfit('the messages cannot be finished: a time or an id is of the wrong type')
  }
  for (let index = 0; index < envelope.messages.length; index++) {
    const wrong = messageTrouble(envelope.messages[index]!)
    if (wrong) return misfit(`messages[${index}].${wrong}`)
  }
  return { ok: true, value: envelope }
}

/** Returns what is wrong with the messages that another partition passed on. */
function passedOnTrouble({ forwarded, hearsay }: Record<string, unknown>): string | undefined {
  if (hearsay !== undefined && !(isObject(hearsay) && isId(hearsay.userId))) return 'hearsay names no user'
  return (
    listTrouble('forwarded', forwarded ?? []) ??
    listTrouble('hearsay.messages', isObject(hearsay) ? hearsay.messages : [])
  )
}

function listTrouble(name: string, list: unknown): string | undefined {
  if (!Array.isArray(list) || !list.every(isObject)) return `${name} is not a list of objects`
  if (list.length > MAX_BATCH_MESSAGES) return `${name} has more than ${MAX_BATCH_MESSAGES} messages`
  for (let index = 0; index < list.length; index++) {
    const wrong = messageTrouble(list[index] as unknown as EventEnvelope['messages'][number])
    if (wrong) return `${name}[${index}].${wrong}`
  }
  return undefined
}

/** Returns what is wrong with the source of a stream message. */
export function originTrouble(
  { siteId, visitorId, receivedAt }: Record<string, unknown>,
  isReceivedAt: (value: unknown) => boolean = isTime,
): string | undefined {
  if (!isSiteId(siteId)) return 'siteId is not a site’s id'
  if (!isVisitorId(visitorId)) return 'visitorId is missing or no text'
  return isReceivedAt(receivedAt) ? undefined : 'receivedAt is not a time'
}

function isTimer(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value.at) && isIdOrEmpty(value.anonymousId) && isIdOrEmpty(value.userId)
}

/** Tells whether a value is a time as text, see `parseTime`. */
export function isTime(value: unknown): value is string {
  return typeof value === 'string' && parseTime(value) !== undefined
}

/**
 * Tells whether a value can be the id of a message. It comes last in the keys that it is part of, so a NUL in it can't
 * make one key another.
 */
function isMessageId(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function messageTrouble(message: EventEnvelope['messages'][number]): string | undefined {
  if (!isMessageId(message.messageId)) return 'messageId is not text of 1 to 256 characters'
  if (!MESSAGE_TYPES.includes(message.type as MessageType)) return 'type is none of the six'
  if (!isAbsentOr(message.event, isIdOrEmpty)) return 'event is not text of up to 256 characters'
  if (!isAbsentOr(message.name, isIdOrEmpty)) return 'name is not text of up to 256 characters'
  if (!isAbsentOr(message.anonymousId, isIdOrEmpty)) return 'anonymousId is not text of up to 256 characters'
  if (!isAbsentOr(message.userId, isIdOrEmpty)) return 'userId is not text of up to 256 characters'
  if (!isAbsentOr(message.previousId, isIdOrEmpty)) return 'previousId is not text of up to 256 characters'
  if (!isAbsentOr(message.groupId, isIdOrEmpty)) return 'groupId is not text of up to 256 characters'
  if (!isText(message.timestamp)) return 'timestamp is not text'
  if (!isAbsentOr(message.originalTimestamp, isText)) return 'originalTimestamp is not text'
  if (!isAbsentOr(message.sentAt, isText)) return 'sentAt is not text'
  if (!isAbsentOr(message.properties, isObject)) return 'properties is not an object'
  if (!isAbsentOr(message.traits, isObject)) return 'traits is not an object'
  return isAbsentOr(message.context, isObject) ? undefined : 'context is not an object'
}
