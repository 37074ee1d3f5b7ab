import type { ClickHouseClient } from '@clickhouse/client'
import { namedInText } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'
import { type PersonTable, PLACES } from '../find/places.js'
import { cleanSessions, type SessionRow } from './clean-sessions.js'
import { deleteRows, type RowPlace } from './rows.js'

/** A row with what tells whether it is from before a deletion. Times are milliseconds since the epoch. */
interface Suspect {
  place_1: string
  place_2: string
  site_id: string
  time: string
  anonymous_id: string
  user_id: string
  previous_id: string
  session_id: string
  payload: string
}

/**
 * Removes rows that are from before the deletion of their person: a table that was restored from a backup, or filled
 * from the lake, has them again.
 *
 * @returns how many were removed, by table
 */
export async function removeForgotten(
  clickhouse: ClickHouseClient,
  tombstones: Tombstones,
  ddl: (sql: string) => string,
): Promise<Record<string, number>> {
  const removed: Record<string, number> = {}
  if (tombstones.size === 0) return removed
  for (const [name, table] of Object.entries(PLACES.tables)) {
    const forgotten = new Map<string, Suspect>()
    for await (const row of suspects(clickhouse, name, table))
      if (isRowForgotten(row, table, tombstones)) forgotten.set(`${row.site_id} ${row.place_1} ${row.place_2}`, row)
    const rows = [...forgotten.values()]
    const count =
      table.by === 'session'
        ? await removeFromSessions(clickhouse, rows, ddl)
        : await remove(clickhouse, name, table, rows, ddl)
    if (count > 0) removed[name] = count
  }
  return removed
}

async function remove(
  clickhouse: ClickHouseClient,
  name: string,
  table: PersonTable,
  rows: Suspect[],
  ddl: (sql: string) => string,
): Promise<number> {
  if (rows.length > 0) await deleteRows(clickhouse, table, `slotstream.${name}`, rows.map(placeOf), ddl)
  return rows.length
}

/** Removes the person from sessions, after the events: a session keeps the actions of others in it. */
async function removeFromSessions(
  clickhouse: ClickHouseClient,
  rows: Suspect[],
  ddl: (sql: string) => string,
): Promise<number> {
  const bySite = new Map<string, SessionRow[]>()
  for (const row of rows) {
    const ofSite = bySite.get(row.site_id) ?? []
    ofSite.push({ place: placeOf(row), sessionId: row.session_id, anonymousId: row.anonymous_id })
    bySite.set(row.site_id, ofSite)
  }
  let count = 0
  for (const [siteId, ofSite] of bySite) count += await cleanSessions(clickhouse, siteId, ofSite, ddl)
  return count
}

function placeOf({ place_1, place_2 }: Suspect): RowPlace {
  return [place_1, place_2]
}

async function* suspects(
  clickhouse: ClickHouseClient,
  name: string,
  { by, columns, time, place }: PersonTable,
): AsyncGenerator<Suspect> {
  const [place1, place2] = place
  // A session has several users, and previous ids: it is read once for each.
  const [users, previous] = [columns.userId, columns.previousId]
  const userId = by === 'session' ? `arrayJoin(if(has_unnamed, arrayPushBack(${users}, ''), ${users}))` : users || "''"
  const previousId = by === 'session' ? `arrayJoin(if(empty(${previous}), [''], ${previous}))` : (previous ?? "''")
  const selected = [
    `toString(${place1}) AS place_1, toString(${place2}) AS place_2, site_id`,
    `toString(toUnixTimestamp64Milli(${time})) AS time`,
    `${columns.anonymousId || "''"} AS anonymous_id, ${userId} AS user_id`,
    `${previousId} AS previous_id, ${by === 'payload' ? 'payload' : "'' AS payload"}`,
    by === 'session' ? 'session_id' : "'' AS session_id",
  ]
  const result = await clickhouse.query({
    query: `SELECT ${selected.join(', ')} FROM slotstream.${name}`,
    format: 'JSONEachRow',
  })
  for await (const rows of result.stream<Suspect>()) for (const row of rows) yield row.json()
}

function isRowForgotten(row: Suspect, { by }: PersonTable, tombstones: Tombstones): boolean {
  const { site_id: siteId, anonymous_id: anonymousId, user_id: userId, previous_id: previousId } = row
  const time = Number(row.time)
  if (by === 'visitor')
    return tombstones.isProfileForgotten({ siteId, anonymousId, userId, firstSeen: new Date(time).toISOString() })
  if (by === 'payload') return namedInText(row.payload).some(named => tombstones.isForgotten(siteId, named, time))
  return tombstones.isForgotten(siteId, { anonymousId, userId, previousId }, time)
}
