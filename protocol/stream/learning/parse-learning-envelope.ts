import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isListOf, isText, misfit } from '../../wire/checks/parse-stored.js'
import { originTrouble } from '../envelopes/parse-event-envelope.js'
import type { LearningEnvelope } from './learning-records.js'

/** Numbers of packed features, and segments of a record, at most. */
const MAX_PACKED = 2_048
const MAX_SEGMENTS = 1_000

/** Parses a message of `learning.<partition>`. */
export function parseLearningEnvelope(raw: unknown): Check<LearningEnvelope> {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  const trouble = originTrouble(raw)
  if (trouble) return misfit(trouble)
  if (!isCount(raw.seq) || !isCount(raw.stored)) return misfit('seq and stored are not sequences')
  if (!isAbsentOr(raw.removal, isId)) return misfit('removal is not an id')
  const { records } = raw
  if (!Array.isArray(records)) return misfit('records is not a list')
  for (const [index, record] of records.entries()) {
    const wrong = isObject(record) ? recordTrouble(record) : 'is not an object'
    if (wrong) return misfit(`records[${index}] ${wrong}`)
  }
  return { ok: true, value: raw as unknown as LearningEnvelope }
}

function recordTrouble(record: Record<string, unknown>): string | undefined {
  for (const field of ['decisionId', 'slotId', 'contentId'] as const)
    if (!isId(record[field])) return `has a ${field} that is not text of 1 to 256 characters`
  const { position, at, reward, previous, segments, features } = record
  if (!isCount(position) || position < 1) return 'has no position from 1'
  if (!isCount(at)) return 'has no time of its decision'
  if (!Number.isSafeInteger(reward)) return 'has a reward that is not a whole number'
  if (!isAbsentOr(previous, Number.isSafeInteger)) return 'has a previous reward that is not a whole number'
  if (!isAbsentOr(segments, list => isListOf(list, isText) && list.length <= MAX_SEGMENTS))
    return 'has segments that are no list of text'
  if (!isAbsentOr(features, list => isListOf(list, Number.isSafeInteger) && list.length <= MAX_PACKED))
    return 'has features that are no list of whole numbers'
  return undefined
}
