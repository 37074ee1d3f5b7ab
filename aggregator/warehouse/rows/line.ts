/**
 * A row as one line of JSON that ClickHouse's parser takes. Two things of JavaScript's JSON it refuses: halves of
 * surrogate pairs, which become U+FFFD, and whole numbers beyond 64 bits, which become text.
 */
export function jsonLine(row: object): string {
  let line = JSON.stringify(row)
  // Nineteen digits in a row are rare, and mostly part of a text, which the replacer leaves alone.
  if (hasDigits(line, 19)) line = JSON.stringify(row, hugeToText)
  return line.includes('\\ud') ? line.replace(LONE_SURROGATE, '$1\ufffd') : line
}

/** Whether so many digits stand in a row: they cover one place in `length`, so that hardly any character is looked at. */
function hasDigits(text: string, length: number): boolean {
  const isDigit = (at: number) => text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57
  for (let at = length - 1; at < text.length; at += length) {
    if (!isDigit(at)) continue
    let first = at
    while (isDigit(first - 1)) first--
    let end = at + 1
    while (isDigit(end)) end++
    if (end - first >= length) return true
  }
  return false
}

/** `\ud800` as JSON.stringify writes it, but not the text `\\ud800`. */
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

function hugeToText(_key: string, value: unknown): unknown {
  const huge =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    (value >= 2 ** 64 || value < -(2 ** 63)) &&
    Math.abs(value) < 1e21
  return huge ? String(value) : value
}

/** A time that DateTime64 can hold: what lies outside 1970–2299 is moved to its edge. */
export function storableTime(iso: string): string {
  if (iso[0] === '-' || iso < '1970') return iso[0] === '+' ? LATEST : '1970-01-01T00:00:00.000Z'
  return iso > LATEST ? LATEST : iso
}

const LATEST = '2299-12-31T23:59:59.999Z'

/** Ids come as text or number; anything else is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

/** The partition at the given place of a subject such as `events.7`. */
export function partitionOfSubject(subject: string, place: number): number {
  const partition = Number(subject.split('.')[place])
  return Number.isInteger(partition) ? partition : 0
}
