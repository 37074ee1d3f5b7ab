import type { ClickHouseClient } from '@clickhouse/client'
import { type Installation, pause } from '@slotstream/runtime'
import { positionKeeper } from '../../warehouse/positions/position.js'
import { specsOf } from '../../warehouse/tables/specs.js'
import { PLACES } from '../find/places.js'
import { restoreSessions } from './restore-sessions.js'
import { deleteRows, findRows, type RowPlace } from './rows.js'
import type { Whose } from './strip.js'

/** How long an insert that is under way may take, in milliseconds, and how often it is looked at. */
const INSERT_MS = 60_000
const LOOK_MS = 100

/** Rows whose places are held in memory at most before they are deleted. */
const ROWS_AT_ONCE = 200_000

/** Deletes the person's rows from all tables. Views compute what they show, so it is right for others at once. */
export async function cleanTables(
  clickhouse: ClickHouseClient,
  whose: Whose,
  ddl: (sql: string) => string,
  report: (place: string, removed: number) => Promise<void>,
): Promise<number> {
  let total = 0
  for (const [name, table] of Object.entries(PLACES.tables)) {
    const full = `slotstream.${name}`
    for (;;) {
      const places = new Map<string, RowPlace>()
      const sessions = new Set<string>()
      const wanted = table.by === 'session' ? 'session_id' : undefined
      for await (const { place, row } of findRows(clickhouse, table, full, whose, wanted)) {
        places.set(place.join(), place)
        if (wanted) sessions.add(String(row.session_id))
        if (places.size >= ROWS_AT_ONCE) break
      }
      if (places.size === 0) break
      await deleteRows(clickhouse, table, full, [...places.values()], ddl)
      if (wanted) await restoreSessions(clickhouse, whose.person.siteId, [...sessions])
      total += places.size
      await report(`table ${name}`, places.size)
      // Two rows of a session may have become one meanwhile, which has another place.
      if (places.size < ROWS_AT_ONCE && !wanted) break
    }
  }
  return total
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
  const known = [...Object.keys(PLACES.tables), ...PLACES.without.tables]
  return (await result.json<{ name: string }>()).map(({ name }) => name).filter(name => !known.includes(name))
}
