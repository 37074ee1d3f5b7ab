import { isoTime } from './iso-time.js'
import { MAX_DEPTH, MAX_NAME_LENGTH } from './limits.js'
import { MESSAGE_TYPES, type Message, type MessageType, type RejectionCode } from './messages.js'
import type { StoredMessage } from './stored.js'
import { correctTime, parseTime } from './times.js'

export type Checked = { ok: true; message: StoredMessage } | { ok: false; code: RejectionCode; reason: string }

/** What the request around a message says about time. Milliseconds since the epoch. */
export interface Arrival {
  received: number
  /** `sentAt` of the batch; a message's own comes first. */
  sent?: number
  /** Makes the id of a message that came without one. */
  newId: () => string
}

/**
 * Checks one message as it came off the wire and sets its times. The fields the product reads are checked; whatever
 * else the message carries stays as it is. Written by hand because every accepted event pays for it, and so that each
 * reason can say what to do. Does not change `raw`.
 */
export function checkMessage(raw: unknown, arrival: Arrival): Checked {
  if (!isObject(raw)) return no('not_an_object', 'a message must be a JSON object')
  const type = raw.type
  if (type === undefined) return no('missing_field', `type is missing: give one of ${MESSAGE_TYPES.join(', ')}`)
  if (!MESSAGE_TYPES.includes(type as MessageType))
    return no('unknown_type', `type ${show(type)} is not one of ${MESSAGE_TYPES.join(', ')}`)

  // A plain copy, then fields set to undefined, which JSON leaves out: four times as fast as copying all but some.
  const rest = { ...raw }
  for (const field of NOT_KEPT) if (rest[field] !== undefined) rest[field] = undefined
  const wrong = checkText(rest) ?? checkObjects(rest) ?? checkNeeded(rest) ?? checkTree(rest, '', 1)
  if (wrong) return wrong

  const { received } = arrival
  const message = rest as unknown as StoredMessage
  if (raw.sentAt !== undefined && typeof raw.sentAt !== 'string')
    return no('invalid_timestamp', `sentAt must be an ISO 8601 text, not ${show(raw.sentAt)}`)
  const sent = typeof raw.sentAt === 'string' ? parseTime(raw.sentAt) : arrival.sent
  if (sent !== undefined) message.sentAt = isoTime(sent)
  message.messageId ||= arrival.newId()
  if (raw.timestamp === undefined || raw.timestamp === null) {
    message.timestamp = isoTime(received)
    return { ok: true, message }
  }
  const client = typeof raw.timestamp === 'string' ? parseTime(raw.timestamp) : undefined
  if (client === undefined)
    return no(
      'invalid_timestamp',
      `timestamp ${show(raw.timestamp)} is not an ISO 8601 date: send e.g. "2026-01-31T12:00:00.000Z"`,
    )
  const corrected = correctTime(client, sent, received)
  if (!corrected.ok) return no('timestamp_out_of_range', corrected.reason)
  message.timestamp = isoTime(corrected.timestamp)
  message.originalTimestamp = isoTime(client)
  return { ok: true, message }
}

/** Instructions to Segment; what is ours to set. */
const NOT_KEPT = ['integrations', 'originalTimestamp', 'sentAt'] as const
const TEXT_FIELDS = ['messageId', 'event', 'name', 'anonymousId', 'userId', 'previousId', 'groupId'] as const
const OBJECT_FIELDS = ['properties', 'traits', 'context'] as const

/** Checks ids and names; takes away those that are null, and makes text of ids that are numbers. */
function checkText(raw: Record<string, unknown>) {
  for (const field of TEXT_FIELDS) {
    const value = raw[field]
    if (value === undefined) continue
    // Segment's libraries send null for an id they don't have, and servers send the numbers of their databases.
    if (value === null) delete raw[field]
    else if (typeof value === 'number' && field !== 'event' && field !== 'name') raw[field] = String(value)
    else if (typeof value !== 'string') return no('wrong_type', `${field} must be text, not ${show(value)}`)
    else if (value.length > MAX_NAME_LENGTH)
      return no('too_long', `${field} has ${value.length} characters, ${MAX_NAME_LENGTH} are allowed`)
    // It separates the parts of keys: with it in an id, one visitor's key could be made to equal another's.
    else if (value.includes('\0'))
      return no('forbidden_character', `${field} holds a NUL character, which is not allowed`)
  }
  return undefined
}

/** Checks the open objects; takes away those that are null. */
function checkObjects(raw: Record<string, unknown>) {
  for (const field of OBJECT_FIELDS) {
    const value = raw[field]
    if (value === null) delete raw[field]
    else if (value !== undefined && !isObject(value))
      return no('wrong_type', `${field} must be an object, not ${show(value)}`)
  }
  return undefined
}

function checkNeeded(raw: Record<string, unknown>) {
  const { type, event, userId, anonymousId, groupId, previousId } = raw as unknown as Message
  if (!anonymousId && !userId) return no('missing_field', 'anonymousId and userId are both missing: one is needed')
  if (type === 'track' && !event) return no('missing_field', 'event is missing: a track message needs a name')
  if (type === 'group' && !groupId) return no('missing_field', 'groupId is missing: a group message needs it')
  if (type === 'alias' && !previousId) return no('missing_field', 'previousId is missing: an alias message needs it')
  return undefined
}

/** `__proto__` and `constructor.prototype` are refused, not stripped: nobody sends them by accident. */
function checkTree(value: object, path: string, depth: number): ReturnType<typeof no> | undefined {
  if (depth > MAX_DEPTH) return no('too_deep', `${path} is nested deeper than ${MAX_DEPTH} levels`)
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key]
    if (key === '__proto__') return no('forbidden_key', `${path}${path && '.'}__proto__ is not allowed as a key`)
    if (typeof child !== 'object' || child === null) continue
    if (key === 'constructor' && Object.hasOwn(child, 'prototype'))
      return no('forbidden_key', `${path}${path && '.'}constructor.prototype is not allowed as a key`)
    const wrong = checkTree(child, path ? `${path}.${key}` : key, depth + 1)
    if (wrong) return wrong
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function no(code: RejectionCode, reason: string): { ok: false; code: RejectionCode; reason: string } {
  return { ok: false, code, reason }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
