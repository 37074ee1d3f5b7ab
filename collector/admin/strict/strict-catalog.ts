import {
  type Check,
  type Content,
  checkContent,
  checkSlot,
  isObject,
  isoTime,
  nearest,
  parseTime,
  type Slot,
} from '@slotstream/protocol'
import { unknownField } from './unknown-field.js'

const SLOT = ['id', 'policy', 'count', 'holdout', 'attribution', 'maxAge']
const POLICY: Record<string, string[]> = {
  affinity: ['type', 'exploration'],
  random: ['type'],
  fixed: ['type', 'contentIds'],
}
const CONTENT = ['id', 'slots', 'category', 'payload', 'startsAt', 'endsAt']

/** A time as it is kept: with its zone. */
const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/**
 * Checks a slot that is put: as `checkSlot`, which also reads what is stored, and that all its fields are known.
 */
export function strictSlot(raw: unknown): Check<Slot> {
  const checked = checkSlot(raw)
  if (!checked.ok || !isObject(raw)) return checked
  const { policy } = raw
  const trouble =
    unknownField(raw, SLOT) ??
    (isObject(policy) ? unknownField(policy, POLICY[String(policy.type)] ?? ['type'], 'policy.') : undefined)
  return trouble === undefined ? checked : { ok: false, reason: trouble }
}

/**
 * Checks a content that is put: as `checkContent`, which also reads what is stored, that all its fields and slots are
 * known, and that it ends after it starts. Times without a zone are UTC, and get it.
 *
 * @param slotIds of the site, those that are put together with the content among them
 */
export function strictContent(raw: unknown, slotIds: readonly string[]): Check<Content> {
  const timed = isObject(raw) ? withZones(raw) : raw
  const checked = checkContent(timed)
  const unknown = isObject(raw) ? unknownField(raw, CONTENT) : undefined
  if (unknown !== undefined) return { ok: false, reason: unknown }
  if (!checked.ok) return checked
  const { startsAt, endsAt, slots } = checked.value
  if (startsAt !== undefined && endsAt !== undefined && Date.parse(endsAt) <= Date.parse(startsAt))
    return { ok: false, reason: `endsAt ${endsAt} must be after startsAt ${startsAt}` }
  const missing = slots.find(id => !slotIds.includes(id))
  return missing === undefined ? checked : { ok: false, reason: noSlot(missing, slotIds) }
}

/** A copy whose times are ones that mean the same everywhere; what is no time stays, to be refused. */
function withZones(raw: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...raw }
  for (const field of ['startsAt', 'endsAt']) {
    const text = copy[field]
    // As in an answer that is sent back without it.
    if (text === null) delete copy[field]
    if (typeof text !== 'string') continue
    const time = parseTime(text)
    // A value that is no time is left to the check, which refuses it.
    if (time === undefined) copy[field] = Number.NaN
    else if (!ZONED.test(text)) copy[field] = isoTime(time)
  }
  return copy
}

function noSlot(id: string, slotIds: readonly string[]): string {
  const meant = nearest(id, slotIds)
  const hint = meant === undefined ? 'put it first, or both in one POST of the catalog' : `did you mean "${meant}"?`
  return `slots: the site has no slot ${JSON.stringify(id)}: ${hint}`
}
