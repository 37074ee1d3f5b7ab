import type { KeyKind } from '@slotstream/protocol'
import type { ClickHouse } from './clickhouse.js'

/** Rows read at a time. */
const PAGE = 500

/** Which rejected messages. */
export interface Selection {
  siteId: string
  /**
   * Codes they were rejected with. Default: all but `warehouse_refused` and `profile_too_large`, which were accepted
   * before.
   */
  codes?: string[] | undefined
  /** From this time of receipt on, and before that one, in milliseconds since the epoch. */
  since: number
  until: number
}

/** A row of `rejected_events`. Times are milliseconds since the epoch. */
export interface RejectedRow {
  received: number
  stream_seq: number
  batch_index: number
  message_id: string | null
  payload: string
  sent: number | null
  user_agent: string
  /** Kind of the key it came with: `public` or `secret`. */
  sender?: KeyKind
}

/** A row that only counts messages has none to send again. */
const WHERE = `site_id = {site:String} AND received_at >= fromUnixTimestamp64Milli({since:Int64})
  AND received_at < fromUnixTimestamp64Milli({until:Int64})
  AND if({codes:String} = '', code NOT IN ('warehouse_refused', 'profile_too_large'), has(splitByChar(',', {codes:String}), code))
  AND code != 'too_many_rejected'`

/** Counts the rejected messages of a selection. */
export async function countRejected(clickhouse: ClickHouse, selection: Selection): Promise<number> {
  const sql = `SELECT count() AS messages FROM slotstream.rejected_events WHERE ${WHERE}`
  const [row] = await clickhouse.rows<{ messages: number }>(sql, paramsOf(selection))
  return row?.messages ?? 0
}

/** Reads rejected messages, oldest first, a page at a time. */
export async function* readRejected(clickhouse: ClickHouse, selection: Selection): AsyncGenerator<RejectedRow[]> {
  let [at, seq, index] = [0, 0, -1]
  for (;;) {
    const page = await clickhouse.rows<RejectedRow>(
      `SELECT toUnixTimestamp64Milli(received_at) AS received, stream_seq, batch_index, message_id, payload,
         toUnixTimestamp64Milli(sent_at) AS sent, user_agent, sender
       FROM slotstream.rejected_events
       WHERE ${WHERE} AND received_at >= fromUnixTimestamp64Milli({at:Int64})
         AND (toUnixTimestamp64Milli(received_at), stream_seq, toInt64(batch_index))
             > ({at:Int64}, {seq:UInt64}, {index:Int64})
       ORDER BY received_at, stream_seq, batch_index LIMIT ${PAGE}`,
      { ...paramsOf(selection), at, seq, index },
    )
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    const last = page.at(-1)!
    ;[at, seq, index] = [last.received, last.stream_seq, last.batch_index]
  }
}

function paramsOf({ siteId, codes = [], since, until }: Selection): Record<string, string | number> {
  return { site: siteId, codes: codes.join(','), since, until }
}
