import type { ClickHouseClient } from '@clickhouse/client'
import { RECORD_COLUMNS, type RecordRow, type ReplayedDecision, recordOfRow } from '@slotstream/core'
import { type DecisionRecord, POSITIONS_PER_STREAM, type StreamPart } from '@slotstream/protocol'
import { AS_RECORDED } from '../../clickhouse/as-recorded.js'
import { programsSql } from '../../clickhouse/programs.js'

/** Decisions of a slot that candidates are valued by. Times are milliseconds since the epoch. */
export interface DecidedRange {
  siteId: string
  slotId: string
  /** Start of the period. Its end is not part of it. */
  from: number
  to: number
  /** Minutes after a decision in which a click on it counts. */
  clickMinutes: number
  /** True if browsers that seem to be programs count. */
  includesBots: boolean
}

/** A decision of the slot by itself, with what came of it. */
export interface DecidedOnce extends ReplayedDecision {
  record: DecisionRecord
}

const PERIOD =
  'timestamp >= fromUnixTimestamp64Milli({from: Int64}) AND timestamp < fromUnixTimestamp64Milli({to: Int64})'
const CLICKS =
  'timestamp >= fromUnixTimestamp64Milli({from: Int64}) AND timestamp < fromUnixTimestamp64Milli({clicksTo: Int64})'

/** Messages by which browsers are known as programs: a day before is enough of a visit. */
const VISITS =
  'timestamp >= fromUnixTimestamp64Milli({from: Int64}) - INTERVAL 1 DAY AND timestamp < fromUnixTimestamp64Milli({clicksTo: Int64})'

/**
 * Each decision once, as it was first stored; imported ones, whose seed is another one or none, are not draws of the
 * slot.
 */
const decidedSql = (
  includesBots: boolean,
) => `SELECT ${RECORD_COLUMNS.map(column => `decided.${column} AS ${column}`).join(', ')},
  isNotNull(clicks.at) AND clicks.at < decided.timestamp + toIntervalMinute({clickMinutes: UInt32}) AS clicked
FROM
(
  SELECT ${RECORD_COLUMNS.join(', ')} FROM slotstream.decisions
  WHERE site_id = {site: String} AND slot_id = {slot: String} AND ${PERIOD}
    AND experiment = '' AND NOT holdout AND outcome = 'served' AND seed = decision_id
    ${includesBots ? '' : `AND (anonymous_id = '' OR anonymous_id NOT IN ${programsSql(VISITS)})`}
  ORDER BY timestamp, decision_id, stream_seq, batch_index
  LIMIT 1 BY decision_id
) AS decided
LEFT ANY JOIN
(
  SELECT decision_id AS of_decision, content_id, min(toNullable(timestamp)) AS at FROM slotstream.events
  WHERE site_id = {site: String} AND type = 'track' AND event = 'Slot Clicked' AND decision_id != '' AND ${CLICKS}
  GROUP BY of_decision, content_id
) AS clicks
ON decided.decision_id = clicks.of_decision AND decided.content_ids[1] = clicks.content_id
ORDER BY decided.timestamp, decided.decision_id`

/** Reads decisions in the order of time, each with whether its first content was clicked. */
export async function* readDecided(
  clickhouse: ClickHouseClient,
  { siteId, slotId, from, to, clickMinutes, includesBots }: DecidedRange,
  abort: AbortSignal,
): AsyncGenerator<DecidedOnce> {
  const result = await clickhouse.query({
    query: decidedSql(includesBots),
    query_params: { site: siteId, slot: slotId, from, to, clickMinutes, clicksTo: to + clickMinutes * 60_000 },
    format: 'JSONEachRow',
    clickhouse_settings: AS_RECORDED,
    abort_signal: abort,
  })
  try {
    for await (const rows of result.stream<RecordRow & { clicked: number }>())
      for (const row of rows) {
        const { clicked, ...record } = row.json<RecordRow & { clicked: number }>()
        yield { record: recordOfRow(record), rewards: [Number(clicked)] }
      }
  } finally {
    result.close()
  }
}

/** Days in which a stream that is loaded got something. */
const LATELY_MS = 7 * 86_400_000

const LOADED = `SELECT toUnixTimestamp64Milli(max(received_at)) AS at FROM slotstream.events
WHERE received_at >= fromUnixTimestamp64Milli({since: Int64}) GROUP BY intDiv(stream_seq, ${POSITIONS_PER_STREAM}) AS number
HAVING number * ${POSITIONS_PER_STREAM} IN {bases: Array(UInt64)}`

/**
 * Resolves to the time up to which events are in the table, by the stream that is furthest behind: what came of later
 * decisions is not known yet. Undefined: there are none
 *
 * @param streams those that take events: earlier ones get no more
 */
export async function loadedUpTo(
  clickhouse: ClickHouseClient,
  streams: readonly Pick<StreamPart, 'base'>[],
  now: number,
): Promise<number | undefined> {
  const result = await clickhouse.query({
    query: LOADED,
    query_params: { since: now - LATELY_MS, bases: streams.map(({ base }) => base) },
    format: 'JSONEachRow',
  })
  const times = (await result.json<{ at: string }>()).map(({ at }) => Number(at))
  return times.length > 0 ? Math.min(...times) : undefined
}
