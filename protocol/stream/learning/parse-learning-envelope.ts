import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isIdOrEmpty, isListOf, isText, misfit } from '../../wire/checks/parse-stored.js'
import { originTrouble } from '../envelopes/parse-event-envelope.js'
import { isPackedFeatures, isStratum } from './check-served.js'
import type { LearningEnvelope } from './learning-records.js'

/** Parses a message of `learning.<partition>`. */
export function parseLearningEnvelope(raw: unknown): Check<LearningEnvelope> {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  const trouble = originTrouble(raw)
  if (trouble) return misfit(trouble)
  if (!isIdOrEmpty(raw.anonymousId)) return misfit('anonymousId is not text')
  if (!isAbsentOr(raw.userId, isIdOrEmpty)) return misfit('userId is not text')
  for (const field of ['seq', 'stored'] as const)
    if (!isCount(raw[field])) return misfit(`${field} is not a whole number from 0`)
  if (!isAbsentOr(raw.removal, isId)) return misfit('removal is not text of 1 to 256 characters')
  if (!isAbsentOr(raw.removes, isCount)) return misfit('removes is not a position')
  if (!isAbsentOr(raw.batch, isBatch))
    return misfit('batch is no name of a part of an imported log or of a message, or of a fill')
  if (!Array.isArray(raw.records)) return misfit('records is not a list')
  for (const [index, entry] of raw.records.entries()) {
    const wrong = isObject(entry) ? recordTrouble(entry) : 'is not an object'
    if (wrong) return misfit(`records[${index}] ${wrong}`)
  }
  if (!isAbsentOr(raw.contents, list => isListOf(list, isContentAmounts))) return misfit('contents are no amounts')
  return { ok: true, value: raw as unknown as LearningEnvelope }
}

function isContentAmounts(raw: unknown): boolean {
  return isObject(raw) && isId(raw.contentId) && isIdOrEmpty(raw.slotId) && isListOf(raw.amounts, isAmount)
}

function isAmount(raw: unknown): boolean {
  if (!Array.isArray(raw) || raw.length < 4 || raw.length > 5 || !isId(raw[0])) return false
  const [, slot, first, units, key] = raw
  return [slot, first, units].every(Number.isSafeInteger) && first <= slot && isAbsentOr(key, isText)
}

/**
 * Tells whether a value names a part of an imported log or of a message, or a fill: no id of a record of visitors is
 * like it.
 */
function isBatch(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^(import-[0-9a-f]{16}-\d{1,9}|fill-[0-9a-z]{1,20}-\d{1,16}|part-\d{1,9}-\d{1,16}-\d{1,9})$/.test(value)
  )
}

function recordTrouble(entry: Record<string, unknown>): string | undefined {
  for (const field of ['decisionId', 'slotId', 'contentId'] as const)
    if (!isId(entry[field])) return `has a ${field} that is not text of 1 to 256 characters`
  if (!isCount(entry.position) || entry.position === 0) return 'has a position that is not a whole number from 1'
  if (!isCount(entry.at)) return 'has no time'
  if (!Number.isSafeInteger(entry.reward)) return 'has a reward that is not a whole number'
  if (!isAbsentOr(entry.previous, Number.isSafeInteger)) return 'has a previous reward that is not a whole number'
  for (const field of ['stratum', 'previousStratum'] as const)
    if (!isAbsentOr(entry[field], isStratum)) return `has a ${field} that is no stratum of losses`
  if (!isAbsentOr(entry.segments, list => isListOf(list, isText))) return 'has segments that are not a list of text'
  return isAbsentOr(entry.features, isPackedFeatures) ? undefined : 'has features that are not packed'
}
