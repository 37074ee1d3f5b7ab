import { digitsOf, INTEGER_MARK, isoTime, parseTime } from '@slotstream/protocol'
import { fault, type Place } from '../compilation.js'
import { MAX_TEXT } from '../limits.js'
import { show } from '../words/show.js'

/** A value that is neither object nor list. */
export type Scalar = string | number | boolean | null

const MARK_CODE = INTEGER_MARK.charCodeAt(0)

/** Returns a value as tests take it: null for what is missing, the digits of a whole number that is marked. */
export function testable(value: unknown): unknown {
  if (value === undefined) return null
  return typeof value === 'string' && value.charCodeAt(0) === MARK_CODE ? digitsOf(value) : value
}

export function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null
}

/**
 * Returns whether a value is the text of a whole number that may be beyond 2^53, which messages and conditions hold as
 * text.
 */
export function isBigInteger(value: unknown): value is string {
  return typeof value === 'string' && BIG_INTEGER.test(value)
}

const BIG_INTEGER = /^-?\d{16,100}$/

/** Checks text, a number, true, false or null to compare with; a time as `isoTime` writes it, where there are times. */
export function scalarOperand(operand: unknown, place: Place): { value: Scalar } | undefined {
  if (operand === undefined || !isScalar(operand)) return fault(place, 'must be text, a number, true, false or null')
  if (typeof operand === 'string' && operand.length > MAX_TEXT)
    return fault(place, `has ${operand.length} characters, ${MAX_TEXT} are allowed`)
  if (!place.isTime || operand === null) return { value: operand }
  const time = timeOf(operand)
  if (time === undefined) return fault(place, `must be a time such as "2026-11-27T09:00:00Z", not ${show(operand)}`)
  return { value: isoTime(time) }
}

/**
 * Milliseconds since the epoch of an ISO 8601 text, or of a number of them. Of four-digit years, whose texts sort as
 * they do.
 */
function timeOf(scalar: string | number | boolean): number | undefined {
  if (typeof scalar === 'string') return parseTime(scalar)
  return typeof scalar === 'number' && scalar >= 0 && scalar < Date.UTC(10_000, 0) ? scalar : undefined
}
