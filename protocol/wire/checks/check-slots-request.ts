import { digitsOf, isMarkedNumber } from '../exact-integers.js'
import { idOf } from '../ids/id-of.js'
import { isMeaningful } from '../ids/ids.js'
import { MAX_ITEMS, MAX_NAME_LENGTH, MAX_POSITIONS, MAX_SLOTS, MAX_SLOTS_BATCHES } from '../limits.js'
import type { SlotsRequest } from '../slots.js'
import type { Check } from './check.js'
import { isObject } from './is-object.js'
import { isId, misfit as no } from './parse-stored.js'

/** Checks the body of `POST /v1/slots`, save the messages it carries, which are checked one by one like any other. */
export function checkSlotsRequest(body: unknown): Check<SlotsRequest> {
  if (!isObject(body)) return no('the body must be a JSON object')
  const raw = withoutNulls(body)
  if (Array.isArray(raw.slots)) raw.slots = raw.slots.map(slot => (isObject(slot) ? withoutNulls(slot) : slot))
  const request = withTextIds(raw, ['anonymousId', 'userId'])
  for (const field of ['anonymousId', 'userId']) {
    const id = request[field]
    if (!id) continue
    if (!isId(id)) return no(`${field} must be text of at most ${MAX_NAME_LENGTH} characters, none of them NUL`)
    // As in messages: beside an anonymousId it is the browser that asks.
    if (!isMeaningful(id) && !(field === 'userId' && request.anonymousId))
      return no(`${field} ${JSON.stringify(id)} is no id: leave it out until there is one`)
  }
  if (!request.anonymousId && !request.userId) return no('anonymousId and userId are both missing: one is needed')
  if (raw.signature !== undefined && typeof raw.signature !== 'string')
    return no('signature must be text: HMAC-SHA256 of userId in lower-case hex')
  if (!Array.isArray(raw.slots) || raw.slots.length === 0) return no('slots must be a list of {"id": "…"}, not empty')
  if (raw.slots.length > MAX_SLOTS) return no(`slots has ${raw.slots.length} entries, ${MAX_SLOTS} are allowed`)
  for (const [index, slot] of raw.slots.entries()) {
    if (!isObject(slot) || !isId(slot.id) || isMarkedNumber(slot.id))
      return no(`slots[${index}].id must be text of 1 to ${MAX_NAME_LENGTH} characters`)
    if (slot.count !== undefined && !isCount(slot.count))
      return no(`slots[${index}].count must be a whole number from 1 to ${MAX_ITEMS}`)
  }
  const positions = raw.slots.reduce((sum, { count = 1 }) => sum + count, 0)
  if (positions > MAX_POSITIONS)
    return no(`slots ask for ${positions} items together, ${MAX_POSITIONS} are allowed: ask in several requests`)
  if (raw.batch !== undefined && !Array.isArray(raw.batch)) return no('batch must be a list of messages')
  if (raw.batches !== undefined && !(Array.isArray(raw.batches) && raw.batches.every(isObject)))
    return no('batches must be a list of batches')
  if (Array.isArray(raw.batches) && raw.batches.length > MAX_SLOTS_BATCHES)
    return no(
      `batches has ${raw.batches.length} entries, ${MAX_SLOTS_BATCHES} are allowed: send some of them to /v1/batch before`,
    )
  if (raw.context !== undefined && !isObject(raw.context)) return no('context must be an object')
  if (raw.preview !== undefined && typeof raw.preview !== 'string')
    return no('preview must be the token of a preview link')
  if (raw.after !== undefined && !(Number.isSafeInteger(raw.after) && (raw.after as number) >= 0))
    return no('after must be a position that an earlier answer gave')
  if (isObject(request.context)) request.context = withTextIds(request.context, ['sessionId', 'pageViewId'])
  return { ok: true, value: request as unknown as SlotsRequest }
}

/** Returns a copy without the fields that are null: clients write so what they leave out. */
function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

/** Returns a copy in which ids that are numbers are text, as in messages. */
function withTextIds(object: Record<string, unknown>, fields: string[]): Record<string, unknown> {
  const copy = { ...object }
  for (const field of fields) {
    const id: unknown = idOf(copy[field])
    if (typeof id === 'string') copy[field] = digitsOf(id)
  }
  return copy
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ITEMS
}
