import { digitsOf, isMarkedNumber } from '../exact-integers.js'
import { idOf } from '../ids/id-of.js'
import { isMeaningful } from '../ids/ids.js'
import { MAX_DEPTH, MAX_KEY_LENGTH, MAX_KEYS, MAX_NAME_LENGTH } from '../limits.js'
import { MESSAGE_TYPES, type MessageType, NOT_KEPT, type RejectionCode } from '../messages.js'
import type { ReceiptTimes } from '../times/receipt-times.js'
import { correctTime, parseTime } from '../times/times.js'
import { traitsTrouble } from './check-traits.js'
import { isObject } from './is-object.js'

export type Checked =
  | { ok: true; message: Record<string, unknown> & { type: MessageType } }
  | { ok: false; code: RejectionCode; reason: string }

/**
 * Checks one message as it came off the wire. The fields the product reads are checked; whatever else the message
 * carries stays as it is. Written by hand because every accepted event pays for it, and so that each reason can say
 * what to do. Does not change `raw`.
 */
export function checkMessage(raw: unknown, { received, sent: batchSent }: ReceiptTimes): Checked {
  if (!isObject(raw)) return no('not_an_object', 'a message must be a JSON object')
  const type = raw.type
  if (type === undefined) return no('missing_field', `type is missing: give one of ${MESSAGE_TYPES.join(', ')}`)
  if (!MESSAGE_TYPES.includes(type as MessageType))
    return no('unknown_type', `type ${show(type)} is not one of ${MESSAGE_TYPES.join(', ')}`)

  const wrong =
    checkText(raw) ?? checkObjects(raw) ?? checkNeeded(raw) ?? checkIds(raw) ?? checkKeys(raw) ?? checkTraits(raw)
  if (wrong) return wrong

  const message = raw as Record<string, unknown> & { type: MessageType }
  if (raw.sentAt !== undefined && raw.sentAt !== null && !isText(raw.sentAt))
    return no('invalid_timestamp', `sentAt must be an ISO 8601 text, not ${show(raw.sentAt)}`)
  if (raw.timestamp === undefined || raw.timestamp === null) return { ok: true, message }
  const client = typeof raw.timestamp === 'string' ? parseTime(raw.timestamp) : undefined
  if (client === undefined)
    return no(
      'invalid_timestamp',
      `timestamp ${show(raw.timestamp)} is not an ISO 8601 date: send e.g. "2026-01-31T12:00:00.000Z"`,
    )
  const sent = typeof raw.sentAt === 'string' ? parseTime(raw.sentAt) : batchSent
  const corrected = correctTime(client, sent, received)
  return corrected.ok ? { ok: true, message } : no('timestamp_out_of_range', corrected.reason)
}

/** Checks ids and names. Each field by name: a loop over a list of names costs the engine three times as much. */
function checkText(raw: Record<string, unknown>) {
  return (
    (isPlain(raw.messageId) ? undefined : textTrouble(raw, 'messageId')) ??
    (isPlain(raw.event) ? undefined : textTrouble(raw, 'event')) ??
    (isPlain(raw.name) ? undefined : textTrouble(raw, 'name')) ??
    (isPlain(raw.anonymousId) ? undefined : textTrouble(raw, 'anonymousId')) ??
    (isPlain(raw.userId) ? undefined : textTrouble(raw, 'userId')) ??
    (isPlain(raw.previousId) ? undefined : textTrouble(raw, 'previousId')) ??
    (isPlain(raw.groupId) ? undefined : textTrouble(raw, 'groupId'))
  )
}

/**
 * Tells whether a value is absent, or text as it should be. NUL separates the parts of keys: with it in an id, one
 * visitor's key could be made to equal another's.
 */
function isPlain(value: unknown): boolean {
  return value === undefined || (isText(value) && value.length <= MAX_NAME_LENGTH && !value.includes('\0'))
}

/** Text, not a whole number that is marked: it would be a number again where it is read next. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !isMarkedNumber(value)
}

function textTrouble(raw: Record<string, unknown>, field: string) {
  const value = raw[field]
  if (value === null || (typeof value === 'number' && field !== 'event' && field !== 'name')) return undefined
  if (!isText(value)) return no('wrong_type', `${field} must be text, not ${show(value)}`)
  if (value.length > MAX_NAME_LENGTH)
    return no('too_long', `${field} has ${value.length} characters, ${MAX_NAME_LENGTH} are allowed`)
  return no('forbidden_character', `${field} holds a NUL character, which is not allowed`)
}

/** Checks the open objects. */
function checkObjects({ properties, traits, context }: Record<string, unknown>) {
  if (!isAbsentOrObject(properties)) return notAnObject('properties', properties)
  if (!isAbsentOrObject(traits)) return notAnObject('traits', traits)
  return isAbsentOrObject(context) ? undefined : notAnObject('context', context)
}

function isAbsentOrObject(value: unknown): boolean {
  return value === undefined || value === null || isObject(value)
}

function notAnObject(field: string, value: unknown) {
  return no('wrong_type', `${field} must be an object, not ${show(value)}`)
}

function checkNeeded({ type, event, userId, anonymousId, groupId, previousId }: Record<string, unknown>) {
  if (!idOf(anonymousId) && !idOf(userId))
    return no('missing_field', 'anonymousId and userId are both missing: one is needed')
  if (type === 'track' && !event) return no('missing_field', 'event is missing: a track message needs a name')
  if (type === 'group' && !idOf(groupId)) return no('missing_field', 'groupId is missing: a group message needs it')
  if (type === 'alias' && !idOf(previousId))
    return no('missing_field', 'previousId is missing: an alias message needs it')
  return undefined
}

/**
 * Ids that say nothing of the one who has them. Empty ones are absent. A `userId` beside an `anonymousId` is taken: the
 * message is the browser's, and the guard of ids that many share keeps it from joining the user.
 */
function checkIds({ anonymousId, userId, previousId, groupId }: Record<string, unknown>) {
  return (
    idTrouble('anonymousId', anonymousId) ??
    (idOf(anonymousId) ? undefined : idTrouble('userId', userId)) ??
    idTrouble('previousId', previousId) ??
    idTrouble('groupId', groupId)
  )
}

function idTrouble(field: string, value: unknown) {
  if (value === undefined || value === null || value === '' || isMeaningful(value as string | number)) return undefined
  return no('invalid_id', `${field} ${show(value)} is no id: leave it out until there is one`)
}

/** After the keys, which bound the nesting. */
function checkTraits({ traits }: Record<string, unknown>) {
  const trouble = isObject(traits) ? traitsTrouble(traits) : undefined
  return trouble === undefined ? undefined : no('traits_too_large', trouble)
}

/** A fault inside a message, and its place: the keys that lead there. */
interface Trouble {
  code: RejectionCode
  path: string[]
  what: string
}

/** Keys that the message being checked may still have. */
let keysLeft = 0

function checkKeys(raw: Record<string, unknown>) {
  keysLeft = MAX_KEYS
  const trouble = checkTree(raw, 1)
  return trouble && no(trouble.code, `${trouble.path.join('.') || 'the message'} ${trouble.what}`)
}

/** `__proto__` and `constructor.prototype` are rejected, not stripped: no client sends them by accident. */
function checkTree(value: object, depth: number): Trouble | undefined {
  if (depth > MAX_DEPTH) return { code: 'too_deep', path: [], what: `is nested deeper than ${MAX_DEPTH} levels` }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const trouble = typeof value[index] === 'object' && value[index] !== null && checkTree(value[index], depth + 1)
      if (trouble) return within(String(index), trouble)
    }
    return undefined
  }
  for (const key in value) {
    if (key === '__proto__') return { code: 'forbidden_key', path: [key], what: 'is not allowed as a key' }
    if (key === NOT_KEPT && depth === 1) continue
    if (--keysLeft < 0)
      return { code: 'too_many_keys', path: [], what: `holds more than the ${MAX_KEYS} keys that a message may have` }
    if (key.length > MAX_KEY_LENGTH)
      return {
        code: 'too_long',
        path: [`${key.slice(0, 40)}…`],
        what: `is a key of ${key.length} characters, ${MAX_KEY_LENGTH} are allowed`,
      }
    const child = (value as Record<string, unknown>)[key]
    if (typeof child !== 'object' || child === null) continue
    if (key === 'constructor' && Object.hasOwn(child, 'prototype'))
      return { code: 'forbidden_key', path: [key, 'prototype'], what: 'is not allowed as a key' }
    const trouble = checkTree(child, depth + 1)
    if (trouble) return within(key, trouble)
  }
  return undefined
}

function within(key: string, trouble: Trouble): Trouble {
  trouble.path.unshift(key)
  return trouble
}

function no(code: RejectionCode, reason: string): { ok: false; code: RejectionCode; reason: string } {
  return { ok: false, code, reason }
}

/**
 * Writes a value as a reason names it. One that is nested too deeply for `JSON.stringify`, which recurses, by its kind.
 */
function show(value: unknown): string {
  let text: string
  try {
    text =
      typeof value === 'string' && isMarkedNumber(value) ? digitsOf(value) : (JSON.stringify(value) ?? String(value))
  } catch {
    text = Array.isArray(value) ? 'a list nested too deeply' : 'an object nested too deeply'
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
