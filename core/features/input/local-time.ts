import { parseTime } from '@slotstream/protocol'

/** Hour 0–23, weekday 1–7, Monday first, and date, as ISO 8601 has them. */
export interface LocalTime {
  date: string
  hour: number
  weekday: number
}

const HOUR_MS = 3_600_000

/** Offsets from UTC in milliseconds, by zone and hour: all that a zone does within an hour is at its quarters. */
const offsets = new Map<string, number>()

/** Offsets that are remembered. */
const MAX_OFFSETS = 5_000

/**
 * Returns date, hour and weekday of a time in a zone. A zone that is none, or absent, is UTC.
 *
 * @param zone name of the IANA database, such as "Europe/Berlin"
 */
export function localTimeOf(timestamp: string, zone: unknown): LocalTime {
  if (latest?.timestamp === timestamp && latest.zone === zone) return latest.local
  const at = parseTime(timestamp) ?? 0
  const local = new Date(at + (typeof zone === 'string' && zone !== '' ? offsetOf(zone, at) : 0))
  const time = {
    date: local.toISOString().slice(0, 10),
    hour: local.getUTCHours(),
    weekday: ((local.getUTCDay() + 6) % 7) + 1,
  }
  latest = { timestamp, zone, local: time }
  return time
}

/** The latest result: several features look at the time of a message. */
let latest: { timestamp: string; zone: unknown; local: LocalTime } | undefined

function offsetOf(zone: string, at: number): number {
  // Zones change their offset at a quarter of an hour.
  const quarter = Math.floor(at / (HOUR_MS / 4))
  const key = `${zone} ${quarter}`
  const cached = offsets.get(key)
  if (cached !== undefined) return cached
  const offset = computeOffset(zone, quarter * (HOUR_MS / 4))
  if (offsets.size >= MAX_OFFSETS) offsets.clear()
  offsets.set(key, offset)
  return offset
}

/** Formats of zones: making one takes longer than everything else. Absent: the zone is none. */
const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** Zones that are remembered: there are some 600. */
const MAX_ZONES = 1_000

function computeOffset(zone: string, at: number): number {
  const parts = new Map(
    formatOf(zone)
      ?.formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  if (parts.size === 0) return 0
  const local = Date.UTC(
    parts.get('year')!,
    parts.get('month')! - 1,
    parts.get('day')!,
    parts.get('hour')!,
    parts.get('minute')!,
  )
  return local - Math.floor(at / 60_000) * 60_000
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(zone)) return formats.get(zone)
  if (formats.size >= MAX_ZONES) formats.clear()
  const format = createFormat(zone)
  formats.set(zone, format)
  return format
}

function createFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  } catch {
    return undefined
  }
}
