import type { ClickHouseClient } from '@clickhouse/client'
import { RECORD_COLUMNS, type RecordRow, recordOfRow } from '@slotstream/core'
import { type DecisionRecord, type RecordRequest, timeOfUuidv7 } from '@slotstream/protocol'
import { AS_RECORDED } from '../clickhouse/as-recorded.js'

/** Distance that a decision may have from the time in its id, in milliseconds. */
const NEAR_MS = 2_000

/** Longest time of the search for an id that says no time, in seconds. */
const MAX_SECONDS = 20

const SELECT = `SELECT ${RECORD_COLUMNS.join(', ')} FROM slotstream.decisions
WHERE site_id = {site: String} AND decision_id = {id: String}`

/** The first row is the one that was served: what is sent again later is the same, or an import of another log. */
const FIRST = 'ORDER BY stream_seq, batch_index LIMIT 1'

/**
 * Reads the record of a decision of a site. Rows are sorted by time, and an id of this product begins with it. Those of
 * other systems are looked for in all of the site's rows, with the help of an index.
 */
export async function readRecord(
  clickhouse: ClickHouseClient,
  { siteId, decisionId }: RecordRequest,
): Promise<DecisionRecord | undefined> {
  const time = timeOfUuidv7(decisionId)
  const near =
    time === undefined
      ? []
      : await rows(
          `${SELECT} AND timestamp BETWEEN fromUnixTimestamp64Milli({from: Int64}) AND fromUnixTimestamp64Milli({to: Int64}) ${FIRST}`,
          { from: time - NEAR_MS, to: time + NEAR_MS },
        )
  const [row] = near.length > 0 ? near : await rows(`${SELECT} ${FIRST}`, {})
  return row && recordOfRow(row)

  async function rows(query: string, more: Record<string, number>): Promise<RecordRow[]> {
    const result = await clickhouse.query({
      query,
      query_params: { site: siteId, id: decisionId, ...more },
      format: 'JSONEachRow',
      clickhouse_settings: { ...AS_RECORDED, max_execution_time: MAX_SECONDS },
    })
    return result.json<RecordRow>()
  }
}
