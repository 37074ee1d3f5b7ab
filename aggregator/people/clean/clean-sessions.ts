import type { ClickHouseClient } from '@clickhouse/client'
import { PLACES } from '../find/places.js'
import { literalsOf, restoreSessions } from './restore-sessions.js'
import { deleteRows, type RowPlace } from './rows.js'

/** A row of a session of a site, by the ids that its table is ordered by. */
export interface SessionRow {
  place: RowPlace
  sessionId: string
  anonymousId: string
}

/**
 * Deletes rows of sessions that hold messages which are gone from `events`, and makes them anew from those that are
 * left. Other rows are right, whichever user they name: people come back, in a session that others began.
 *
 * @returns how many rows were deleted
 */
export async function cleanSessions(
  clickhouse: ClickHouseClient,
  siteId: string,
  rows: readonly SessionRow[],
  ddl: (sql: string) => string,
): Promise<number> {
  const stale = await staleSessions(clickhouse, siteId, [...new Set(rows.map(({ sessionId }) => sessionId))])
  const old = rows.filter(row => stale.has(keyOf(row.sessionId, row.anonymousId)))
  if (old.length === 0) return 0
  const places = old.map(({ place }) => place)
  await deleteRows(clickhouse, PLACES.tables.session_states!, 'slotstream.session_states', places, ddl)
  await restoreSessions(clickhouse, siteId, [...new Set(old.map(({ sessionId }) => sessionId))])
  return old.length
}

/** Finds the sessions of which a row counts a message that is no longer in `events`. */
async function staleSessions(
  clickhouse: ClickHouseClient,
  siteId: string,
  sessionIds: string[],
): Promise<ReadonlySet<string>> {
  const stale = new Set<string>()
  for (const ids of literalsOf(sessionIds)) {
    const ofThem = `site_id = {siteId:String} AND session_id IN (${ids.join(', ')})`
    const result = await clickhouse.query({
      query: `SELECT session_id, anonymous_id
              FROM
              (
                  SELECT session_id, anonymous_id, groupUniqArrayArray(messages) AS counted
                  FROM slotstream.session_states WHERE ${ofThem} GROUP BY session_id, anonymous_id
              ) AS states
              LEFT ANY JOIN
              (
                  SELECT session_id, anonymous_id, groupUniqArray(cityHash64(stream_seq, batch_index)) AS present
                  FROM slotstream.events WHERE ${ofThem} GROUP BY session_id, anonymous_id
              ) AS messages
              USING (session_id, anonymous_id)
              WHERE NOT hasAll(present, counted)`,
      query_params: { siteId },
      format: 'JSONEachRow',
    })
    for (const row of await result.json<{ session_id: string; anonymous_id: string }>())
      stale.add(keyOf(row.session_id, row.anonymous_id))
  }
  return stale
}

function keyOf(sessionId: string, anonymousId: string): string {
  return JSON.stringify([sessionId, anonymousId])
}
