import { createMemo, parseTime } from '@slotstream/protocol'

/** Hour 0–23, weekday 1–7, Monday first, and date, as ISO 8601 has them. */
export interface LocalTime {
  date: string
  hour: number
  weekday: number
}

const QUARTER_MS = 15 * 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Returns date, hour and weekday of a time in a zone. Without a zone, or with one that does not exist, it is UTC.
 *
 * @param zone name of the IANA database, such as "Europe/Berlin"
 */
export function localTimeOf(timestamp: string, zone: unknown): LocalTime {
  if (latest?.timestamp === timestamp && latest.zone === zone) return latest.local
  const at = parseTime(timestamp) ?? 0
  const local = at + (typeof zone === 'string' && zone !== '' ? offsetOf(zone, at) : 0)
  const begin = Math.floor(local / DAY_MS) * DAY_MS
  if (day.begin !== begin) day = dayOf(begin)
  const { date, weekday } = day
  const time = { date, hour: Math.floor((local - begin) / HOUR_MS), weekday }
  latest = { timestamp, zone, local: time }
  return time
}

/** The latest day: most messages are of the day of the one before, and to write a date takes the longest. */
let day = dayOf(0)

function dayOf(begin: number): Pick<LocalTime, 'date' | 'weekday'> & { begin: number } {
  const its = new Date(begin)
  return { begin, date: its.toISOString().slice(0, 10), weekday: ((its.getUTCDay() + 6) % 7) + 1 }
}

/** The latest result: several features look at the time of a message. */
let latest: { timestamp: string; zone: unknown; local: LocalTime } | undefined

/** Longest name of a zone, in characters: the longest of the IANA database has 32. */
const MAX_ZONE_LENGTH = 64

/** Zones that are remembered, as clients spell them. There are some 600. */
const MAX_ZONES = 1_000

/** The database's own spelling of a zone's name: those of visitors may differ in upper and lower case. */
const zones = createMemo({ max: MAX_ZONES, maxKeyLength: MAX_ZONE_LENGTH }, zoneNamed)

/** Formats by the database's names: making one takes 30 KB, and longer than everything else. */
const formats = createMemo({ max: MAX_ZONES }, createFormat)

/** Offsets from UTC in milliseconds, by zone and quarter of an hour: zones change theirs at one. */
const offsets = createMemo({ max: 5_000 }, key => {
  const space = key.indexOf(' ')
  return computeOffset(formats(key.slice(space + 1)), Number(key.slice(0, space)) * QUARTER_MS)
})

function offsetOf(spelling: string, at: number): number {
  const zone = spelling.length > MAX_ZONE_LENGTH ? null : zones(spelling)
  return zone ? offsets(`${Math.floor(at / QUARTER_MS)} ${zone}`) : 0
}

function computeOffset(format: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const local = Date.UTC(
    parts.get('year')!,
    parts.get('month')! - 1,
    parts.get('day')!,
    parts.get('hour')!,
    parts.get('minute')!,
  )
  return local - Math.floor(at / 60_000) * 60_000
}

/** Returns the database's name of a zone; `null` for what is no zone. */
function zoneNamed(spelling: string): string | null {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: spelling }).resolvedOptions().timeZone
  } catch {
    return null
  }
}

function createFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
}
