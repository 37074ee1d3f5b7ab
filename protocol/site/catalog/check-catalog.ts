import { byteLength } from '../../wire/byte-length.js'
import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { nearest } from '../../wire/checks/nearest.js'
import { isoTime } from '../../wire/times/iso-time.js'
import { parseTime } from '../../wire/times/times.js'
import type { Content, Slot } from '../catalog.js'
import { shownFaults } from '../definitions/faults.js'
import { MAX_SCHEMA_BYTES } from '../tracking-plan.js'
import { CONTENT_FIELDS } from './content-fields.js'
import { MAX_CATALOG_ITEM_BYTES } from './limits.js'
import { type CatalogCheck, type CatalogFields, readFields } from './reading.js'
import { SLOT_FIELDS } from './slot-fields.js'

/** A time as it is kept: with its zone. */
const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** Checks a slot as it is stored, and fills in its defaults. Fields that this version does not know are left out. */
export function checkSlot(raw: unknown): Check<Slot> {
  return read<Slot>(raw, SLOT_FIELDS, false)
}

/** Checks a content as it is stored, and fills in its defaults. Fields that this version does not know are left out. */
export function checkContent(raw: unknown): Check<Content> {
  return read<Content>(raw, CONTENT_FIELDS, false)
}

/**
 * Checks a slot that is put: as `checkSlot`, and that all its fields are known and none is too large. Conditions and
 * the schema are left to what compiles them.
 */
export function strictSlot(raw: unknown): CatalogCheck<Slot> {
  const checked = read<Slot>(raw, SLOT_FIELDS, true)
  if (!checked.ok || checked.value.schema === undefined) return checked
  const bytes = byteLength(JSON.stringify(checked.value.schema))
  return bytes > MAX_SCHEMA_BYTES ? faulty([`schema has ${bytes} bytes, ${MAX_SCHEMA_BYTES} are allowed`]) : checked
}

/**
 * Checks a content that is put: as `checkContent`, that all its fields and slots are known and none is too large, and
 * that it ends after it starts. Times without a zone are UTC, and get it. Conditions are left to what compiles them.
 *
 * @param slotIds of the site, those that are put together with the content among them
 * @param isLeftOver tells of a content and a slot that there is not, whether the content as it is stored names it
 * already: its slot was removed, so that what was read can be stored again. Default: none does
 */
export function strictContent(
  raw: unknown,
  slotIds: ReadonlySet<string>,
  isLeftOver: (id: string, slotId: string) => boolean = () => false,
): CatalogCheck<Content> {
  const checked = read<Content>(isObject(raw) ? withZones(raw) : raw, CONTENT_FIELDS, true)
  if (!checked.ok) return checked
  const { id: contentId, startsAt, endsAt, slots } = checked.value
  const missing = slots.filter(id => !slotIds.has(id) && !isLeftOver(contentId, id))
  const faults = missing.map(id => noSlot(id, slotIds))
  if (startsAt !== undefined && endsAt !== undefined && Date.parse(endsAt) <= Date.parse(startsAt))
    faults.push(`endsAt ${endsAt} must be after startsAt ${startsAt}`)
  return faults.length > 0 ? faulty(faults) : checked
}

function read<T>(raw: unknown, fields: CatalogFields, isStrict: boolean): CatalogCheck<T> {
  if (!isObject(raw)) return faulty(['it must be an object with an id'])
  const faults: string[] = []
  const value = readFields(raw, fields, '', { faults, isStrict })
  if (faults.length > 0) return faulty(faults)
  // Its depth is bound by now, so that it can be written.
  const bytes = isStrict ? byteLength(JSON.stringify(value)) : 0
  if (bytes > MAX_CATALOG_ITEM_BYTES)
    return faulty([`it has ${bytes} bytes of JSON, ${MAX_CATALOG_ITEM_BYTES} are allowed`])
  return { ok: true, value: value as unknown as T }
}

/**
 * Returns the predicate by which `strictContent` knows names that slots left in contents when they were removed.
 *
 * @param stored contents as they are
 * @param slotIds of the slots that there are
 */
export function leftOverNames(
  stored: Iterable<Pick<Content, 'id' | 'slots'>>,
  slotIds: ReadonlySet<string>,
): (id: string, slotId: string) => boolean {
  const names = new Map([...stored].map(({ id, slots }) => [id, slots.filter(slotId => !slotIds.has(slotId))]))
  return (id, slotId) => names.get(id)?.includes(slotId) ?? false
}

function faulty(faults: string[]): { ok: false; reason: string; faults: string[] } {
  return { ok: false, reason: faults[0]!, faults: shownFaults(faults) }
}

/** Returns a copy whose times are ones that mean the same everywhere; what is no time stays, to be rejected. */
function withZones(raw: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...raw }
  for (const field of ['startsAt', 'endsAt']) {
    const text = copy[field]
    if (typeof text !== 'string') continue
    const time = parseTime(text)
    // A value that is no time is left to the check, which refuses it.
    if (time === undefined) copy[field] = Number.NaN
    else if (!ZONED.test(text)) copy[field] = isoTime(time)
  }
  return copy
}

function noSlot(id: string, slotIds: ReadonlySet<string>): string {
  const meant = nearest(id, [...slotIds])
  const hint = meant === undefined ? 'put it first, or both in one POST of the catalog' : `did you mean "${meant}"?`
  return `slots: the site has no slot ${JSON.stringify(id)}: ${hint}`
}
