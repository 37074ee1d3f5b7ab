import { digitsOf, hasDigits, withDigits } from '@slotstream/protocol'

/**
 * Writes a row as one line of JSON that ClickHouse's parser takes. It rejects two things of JavaScript's JSON: halves
 * of surrogate pairs, which become U+FFFD, and whole numbers beyond 64 bits, which become text. Those of 64 bits have
 * all their digits where they are marked, see `markIntegers`.
 */
export function jsonLine(row: object): string {
  let line = JSON.stringify(row)
  // Nineteen digits in a row are rare, and mostly part of a text, which the replacer leaves alone.
  if (hasDigits(line, 19)) line = JSON.stringify(row, hugeToText)
  line = withDigits(line, digits => (isStorable(BigInt(digits)) ? digits : `"${digits}"`))
  return line.includes('\\ud') ? line.replace(LONE_SURROGATE, '$1\ufffd') : line
}

/** `\ud800` as JSON.stringify writes it, but not the text `\\ud800`. */
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

/** Returns whether ClickHouse has a type for a whole number: UInt64 or Int64. */
function isStorable(value: bigint): boolean {
  return value < 2n ** 64n && value >= -(2n ** 63n)
}

function hugeToText(_key: string, value: unknown): unknown {
  const huge =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    (value >= 2 ** 64 || value < -(2 ** 63)) &&
    Math.abs(value) < 1e21
  return huge ? String(value) : value
}

/** Returns a time that DateTime64 can hold: one outside 1970–2299 is moved to its edge. */
export function storableTime(iso: string): string {
  if (iso[0] === '-' || iso < '1970') return iso[0] === '+' ? LATEST : '1970-01-01T00:00:00.000Z'
  return iso > LATEST ? LATEST : iso
}

const LATEST = '2299-12-31T23:59:59.999Z'

/** Ids come as text or number; anything else is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? digitsOf(value) : typeof value === 'number' ? String(value) : ''
}

/** Returns the partition at the given place of a subject such as `events.7`. */
export function partitionOfSubject(subject: string, place: number): number {
  const partition = Number(subject.split('.')[place])
  return Number.isInteger(partition) ? partition : 0
}
