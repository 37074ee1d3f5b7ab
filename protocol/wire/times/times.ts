import { EARLIEST_TIMESTAMP, MAX_FUTURE_MS } from '../limits.js'

export type CorrectedTime =
  /** `clamped`: the times of the client contradict each other, so this is the nearest that can be. */
  { ok: true; timestamp: number; clamped?: true } | { ok: false; reason: string }

/**
 * Converts a client's time by the server's clock: `received − (sent − client)`, as Segment defines it. What then lies
 * after receipt by up to a day is clamped to receipt. Further off, or before the year 2000, the clock was put right
 * between the two, or the time of sending is stale: the client's time is taken where it can be one, and else that of
 * receipt.
 *
 * The time of a client that doesn't say when it sent is accepted, within the same limits: an import with
 * impossible times has to be reported.
 *
 * All in milliseconds since the epoch.
 */
export function correctTime(client: number, sent: number | undefined, received: number): CorrectedTime {
  const corrected = sent === undefined ? client : received - (sent - client)
  if (corrected >= EARLIEST_TIMESTAMP && corrected <= received + MAX_FUTURE_MS)
    return { ok: true, timestamp: Math.min(corrected, received) }
  if (sent !== undefined) {
    const isPossible = client >= EARLIEST_TIMESTAMP && client <= received
    return { ok: true, timestamp: isPossible ? client : received, clamped: true }
  }
  const wrong = corrected < EARLIEST_TIMESTAMP ? 'before the year 2000' : 'more than 24 h in the future'
  return { ok: false, reason: `timestamp ${iso(corrected)} is ${wrong}: check the client's clock` }
}

/** The form that nearly every client sends: `toISOString`. Those of batches are mostly of the last few minutes. */
const TO_ISO_STRING_LENGTH = 24
/** Beginnings of such times, up to the minute, and when that is; by their minute's last digit. */
const prefixes = new Array<string>(10).fill('')
const minutesAt = new Array<number>(10).fill(Number.NaN)

const USUAL_DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/
const ZONE = String.raw`\s*(Z|[+-]\d{2}(?::?\d{2})?)?$`
const ISO_DATE = new RegExp(
  String.raw`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?)?${ZONE}`,
  'i',
)
/** The form without marks between, `20261127T090000Z`. */
const BASIC_DATE = new RegExp(String.raw`^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}(?:[.,]\d+)?)?${ZONE}`, 'i')

/**
 * Parses milliseconds since the epoch of an ISO 8601 date, or undefined. Lenient where Segment's own examples are
 * (`2015-2-02T…`) and as databases write it (`2026-11-27 09:00:00+00`); a time without a zone is UTC, so that it means
 * the same on every server.
 */
export function parseTime(text: string): number | undefined {
  const place = text.length === TO_ISO_STRING_LENGTH ? text.charCodeAt(15) - 48 : -1
  const prefix = prefixes[place]
  if (prefix && text.startsWith(prefix)) {
    const ms = millisOfMinute(text)
    if (ms >= 0) return minutesAt[place]! + ms
  }
  const usual = USUAL_DATE.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(usual)) {
    if (!isOfCalendar(text.slice(0, 10))) return undefined
    if (place >= 0) {
      prefixes[place] = text.slice(0, 17)
      minutesAt[place] = Math.floor(usual / 60_000) * 60_000
    }
    return usual
  }
  const trimmed = text.trim()
  const match = ISO_DATE.exec(trimmed) ?? BASIC_DATE.exec(trimmed)
  if (!match) return undefined
  const [, year = '', month = '', day = '', hour = '00', minutes = '00', seconds = '00', zone = 'Z'] = match
  const calendarDay = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const offset = zone.toUpperCase().replace(/^([+-]\d{2}):?(\d{2})?$/, (_, hours, rest = '00') => `${hours}:${rest}`)
  const parsed = Date.parse(`${calendarDay}T${hour.padStart(2, '0')}:${minutes}:${seconds.replace(',', '.')}${offset}`)
  return Number.isNaN(parsed) || !isOfCalendar(calendarDay) ? undefined : parsed
}

/** Tells whether a day of its month exists: `Date.parse` takes 30 February for 2 March. */
function isOfCalendar(day: string): boolean {
  return Number(day.slice(8)) <= 28 || new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}

/** Of `…T12:34:ss.mmmZ`: the milliseconds behind the minute; -1 when it isn't written so. */
function millisOfMinute(text: string): number {
  if (text[19] !== '.' || text[23] !== 'Z') return -1
  let ms = 0
  for (let place = 17; place < 23; place++) {
    if (place === 19) continue
    const digit = text.charCodeAt(place) - 48
    if (digit < 0 || digit > 9) return -1
    ms = ms * 10 + digit
  }
  return ms < 60_000 ? ms : -1
}

function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time)
}
