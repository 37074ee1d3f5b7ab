import type { ClickHouseClient } from '@clickhouse/client'

/**
 * Events of a period, at most, unless a single hour had more: they are read within seconds, far from any time limit.
 */
const MAX_EVENTS = 2_000_000

/** A period between two times, as ClickHouse writes them: `2026-11-29 13:00:00`, in UTC. */
export interface Period {
  from: string
  until: string
}

/** The number of events that were received in one hour. */
export interface Hour {
  begin: string
  end: string
  events: number
}

/** Reads when the events that are in the table were received, as periods of a bounded number of them, in order. */
export async function readReceivedPeriods(clickhouse: ClickHouseClient): Promise<Period[]> {
  const result = await clickhouse.query({
    query: `SELECT toString(hour) AS begin, toString(hour + INTERVAL 1 HOUR) AS end, toFloat64(count()) AS events
            FROM slotstream.events GROUP BY toStartOfHour(received_at) AS hour ORDER BY hour`,
    format: 'JSONEachRow',
  })
  return periodsOf(await result.json<Hour>())
}

/** Puts hours together into periods. Pure. */
export function periodsOf(hours: readonly Hour[], maxEvents = MAX_EVENTS): Period[] {
  const periods: (Period & { events: number })[] = []
  for (const { begin, end, events } of hours) {
    const last = periods.at(-1)
    if (last && last.events + events <= maxEvents) Object.assign(last, { until: end, events: last.events + events })
    else periods.push({ from: begin, until: end, events })
  }
  return periods.map(({ from, until }) => ({ from, until }))
}
