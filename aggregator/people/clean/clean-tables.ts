import type { ClickHouseClient } from '@clickhouse/client'
import { type Installation, pause } from '@slotstream/runtime'
import { positionKeeper } from '../../warehouse/positions/position.js'
import { specsOf } from '../../warehouse/tables/specs.js'
import { PLACES } from '../find/places.js'
import { cleanSessions, type SessionRow } from './clean-sessions.js'
import { deleteRows, findRows, type RowPlace } from './rows.js'
import type { Whose } from './strip.js'

/** Time that an insert under way may take, and the time between two looks at it, in milliseconds. */
const INSERT_MS = 60_000
const LOOK_MS = 100

/** Rows whose places are held in memory at most before they are deleted. */
const ROWS_AT_ONCE = 200_000
/** The same of sessions, whose messages are looked at as well. */
const SESSIONS_AT_ONCE = 10_000

/** Deletes the person's rows from all tables. Views compute what they show, so it is right for others at once. */
export async function cleanTables(
  clickhouse: ClickHouseClient,
  whose: Whose,
  ddl: (sql: string) => string,
  report: (place: string, removed: number) => Promise<void>,
): Promise<number> {
  let total = 0
  for (const [name, table] of Object.entries(PLACES.tables)) {
    const clean = table.by === 'session' ? cleanSomeSessions : cleanSome
    for (;;) {
      const { removed, isAll } = await clean(clickhouse, name, whose, ddl)
      if (removed === 0) break
      total += removed
      await report(`table ${name}`, removed)
      if (isAll) break
    }
  }
  return total
}

/** Rows that one round has removed, and whether there can be no more. */
interface Round {
  removed: number
  isAll: boolean
}

async function cleanSome(
  clickhouse: ClickHouseClient,
  name: string,
  whose: Whose,
  ddl: (sql: string) => string,
): Promise<Round> {
  const [table, full] = [PLACES.tables[name]!, `slotstream.${name}`]
  const places = new Map<string, RowPlace>()
  for await (const { place } of findRows(clickhouse, table, full, whose)) {
    places.set(place.join(), place)
    if (places.size >= ROWS_AT_ONCE) break
  }
  if (places.size > 0) await deleteRows(clickhouse, table, full, [...places.values()], ddl)
  return { removed: places.size, isAll: places.size < ROWS_AT_ONCE }
}

/**
 * Removes the person from some sessions. Two rows of a session may have become one meanwhile, which has another place:
 * there is always another round.
 */
async function cleanSomeSessions(
  clickhouse: ClickHouseClient,
  name: string,
  whose: Whose,
  ddl: (sql: string) => string,
): Promise<Round> {
  const { siteId } = whose.person
  const rows = findRows(clickhouse, PLACES.tables[name]!, `slotstream.${name}`, whose, 'session_id, anonymous_id')
  let removed = 0
  let some: SessionRow[] = []
  for await (const { place, row } of rows) {
    some.push({ place, sessionId: String(row.session_id), anonymousId: String(row.anonymous_id) })
    if (some.length < SESSIONS_AT_ONCE) continue
    removed += await cleanSessions(clickhouse, siteId, some, ddl)
    some = []
  }
  removed += await cleanSessions(clickhouse, siteId, some, ddl)
  return { removed, isAll: false }
}

/**
 * Waits until the inserts that are under way have ended: those that begin later leave the person out. One that doesn't
 * end belongs to a loader that is gone, and its successor leaves the person out as well.
 */
export async function inserted(installation: Installation, signal: AbortSignal): Promise<void> {
  const until = Date.now() + INSERT_MS
  for (const { stream } of specsOf(installation).values()) {
    const { load } = positionKeeper(installation.buckets.positions, stream)
    const underWay = await load()
    if (!underWay || underWay.done) continue
    while (Date.now() < until) {
      signal.throwIfAborted()
      const now = await load()
      if (!now || now.done || now.first !== underWay.first) break
      await pause(LOOK_MS)
    }
  }
}

/** Names of tables in our database that are not ours: what is in them is not known here. */
export async function tablesBeside(clickhouse: ClickHouseClient): Promise<string[]> {
  const result = await clickhouse.query({
    query: `SELECT name FROM system.tables WHERE database = 'slotstream' AND engine NOT LIKE '%View' ORDER BY name`,
    format: 'JSONEachRow',
  })
  const listed = [...Object.keys(PLACES.tables), ...PLACES.without.tables]
  return (await result.json<{ name: string }>()).map(({ name }) => name).filter(name => !listed.includes(name))
}
