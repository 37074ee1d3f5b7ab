import type { ClickHouseClient } from '@clickhouse/client'
import { idsOfVisitor, isPersonKey, visitorKeySql } from '@slotstream/protocol'
import { EVENT_COLUMNS, type EventRow, readEventRow } from '../clickhouse/event-rows.js'
import type { MessageRows } from './recompute.js'

/** Returns the id that a visitor's key was made of. */
export function idOfKey(visitorId: string): { anonymousId: string } | { userId: string } {
  const { anonymousId, userId } = idsOfVisitor(visitorId)
  return isPersonKey(visitorId) ? { userId } : { anonymousId }
}

/** The part of one stream message that is about a visitor. */
export interface VisitorMessage {
  visitorId: string
  position: number
  rows: MessageRows
}

type Row = EventRow & { visitor: string; position: number }

/** Reads all messages of some visitors of a site, visitor by visitor, each visitor's in the order of the stream. */
export async function* messagesOf(
  clickhouse: ClickHouseClient,
  site: string,
  visitorIds: readonly string[],
): AsyncGenerator<VisitorMessage> {
  const ids = visitorIds.map(idOfKey)
  const result = await clickhouse.query({
    query: `SELECT ${visitorKeySql()} AS visitor, toFloat64(stream_seq) AS position, ${EVENT_COLUMNS}
            FROM slotstream.events
            WHERE site_id = {site:String} AND
              (anonymous_id IN {browsers:Array(String)} OR (anonymous_id = '' AND user_id IN {users:Array(String)}))
            ORDER BY visitor, stream_seq, batch_index
            SETTINGS max_bytes_before_external_sort = 268435456, output_format_json_quote_64bit_integers = 0`,
    query_params: {
      site,
      browsers: ids.flatMap(id => ('anonymousId' in id ? [id.anonymousId] : [])),
      users: ids.flatMap(id => ('userId' in id ? [id.userId] : [])),
    },
    format: 'JSONEachRow',
  })
  let message: VisitorMessage | undefined
  for await (const rows of result.stream<Row>())
    for (const row of rows) {
      const { visitor, position, ...event } = readEventRow<Row>(row)
      if (message?.visitorId === visitor && message.position === position) {
        message.rows.push(event)
        continue
      }
      if (message) yield message
      message = { visitorId: visitor, position, rows: [event] }
    }
  if (message) yield message
}
