import type { ClickHouseClient } from '@clickhouse/client'
import { RECORD_COLUMNS, type RecordRow, recordOfRow, reproduce } from '@slotstream/core'
import { createSlices } from '@slotstream/runtime'
import { AS_RECORDED } from '../clickhouse/as-recorded.js'

/** Ids that a report names, at most. */
const MOST_NAMED = 5

/** Decisions of a day that are drawn again. */
export interface Sample {
  siteId: string
  /** Start of the period, in milliseconds since the epoch. Its end is not part of it. */
  from: number
  to: number
  /** Decisions, at most. */
  most: number
}

/** Result of a redraw. */
export interface RedrawReport {
  site: string
  /** Decisions that were drawn again as their records say. */
  same: number
  /** Decisions whose records draw something else. */
  different: number
  /** The first of those, by id. */
  ids: string[]
}

/** Condition for decisions of this product: imported ones, whose seed is another one or none, are not its draws. */
const DRAWN = `site_id = {site: String}
  AND timestamp >= fromUnixTimestamp64Milli({from: Int64}) AND timestamp < fromUnixTimestamp64Milli({to: Int64})
  AND seed = decision_id AND outcome IN ('served', 'holdout', 'stale', 'empty')`

/** Others each day: ids are random. */
const QUERY = `SELECT ${RECORD_COLUMNS.join(', ')} FROM slotstream.decisions
WHERE ${DRAWN} AND decision_id IN (
  SELECT decision_id FROM slotstream.decisions WHERE ${DRAWN} ORDER BY sipHash64(decision_id) LIMIT {most: UInt32}
)`

/** Draws a sample of a site's decisions again, each from its record alone. */
export async function redrawSample(
  clickhouse: ClickHouseClient,
  { siteId, from, to, most }: Sample,
  signal?: AbortSignal,
): Promise<RedrawReport> {
  const result = await clickhouse.query({
    query: QUERY,
    query_params: { site: siteId, from, to, most },
    format: 'JSONEachRow',
    clickhouse_settings: AS_RECORDED,
    ...(signal && { abort_signal: signal }),
  })
  const report: RedrawReport = { site: siteId, same: 0, different: 0, ids: [] }
  const pauseIfLong = createSlices()
  for await (const rows of result.stream<RecordRow>())
    for (const row of rows) {
      await pauseIfLong()
      const record = recordOfRow(row.json<RecordRow>())
      const trouble = reproduce(record)
      // Those without a draw have none to do again.
      if (trouble === undefined) report.same++
      else if (trouble !== 'no_draw') {
        report.different++
        if (report.ids.length < MOST_NAMED) report.ids.push(record.decisionId)
      }
    }
  return report
}
