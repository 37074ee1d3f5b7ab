import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { ClickHouseClient } from '@clickhouse/client'

/** Descriptions of tables and columns, by name; the empty column name is the table itself. */
export type Descriptions = Record<string, Record<string, string>>

/** A column of the database, as the engine knows it; `column` is empty for the table itself. */
interface Described {
  table: string
  column: string
  comment: string
}

/** A column that means the same in several tables is described once: in the table named here, or in `events`. */
const LIKE: Record<string, string> = {
  decision_rewards: 'decisions',
  slot_performance: 'decisions',
  detected_signals: 'signals',
  profile_versions: 'profiles',
  identifications_of_events: 'identifications',
  money_events_of_events: 'money_events',
  page_reports_of_events: 'page_reports',
  slot_responses_of_events: 'slot_responses',
  session_states_of_events: 'session_states',
  session_facts: 'session_states',
  segment_intervals_of_signals: 'segment_intervals',
  derived_session_facts: 'session_states',
}
const COMMON = 'events'

/** Reads the folder of descriptions, beside the sources or as seen from dist/. */
export async function readDescriptions(): Promise<Descriptions> {
  const beside = new URL('../descriptions/', import.meta.url)
  const folder = existsSync(beside) ? beside : new URL('../../../warehouse/descriptions/', import.meta.url)
  const files = (await readdir(folder)).filter(file => file.endsWith('.json'))
  const parts = await Promise.all(files.map(async file => JSON.parse(await readFile(new URL(file, folder), 'utf8'))))
  return Object.assign({}, ...parts) as Descriptions
}

/** Returns what a column of a table means: by its own description, or by that of the same column in a similar table. */
export function descriptionOf(descriptions: Descriptions, table: string, column: string): string {
  const tables = column === '' ? [table] : [table, LIKE[table] ?? COMMON, COMMON]
  return tables.map(name => descriptions[name]?.[column]).find(text => text !== undefined) ?? ''
}

/**
 * Writes the descriptions into the tables and views of the database `slotstream` as comments, where analysts' tools
 * show them beside the columns. Comments that are right already are left alone, so doing it again costs one query. The
 * comment of a table itself, other than a view's, says how long its rows are kept: see `applyRetention`.
 *
 * @param ddl rewrites a statement for a cluster
 */
export async function describeTables(
  clickhouse: ClickHouseClient,
  descriptions: Descriptions,
  ddl: (sql: string) => string = sql => sql,
): Promise<void> {
  const result = await clickhouse.query({
    query: `SELECT table, name AS column, comment FROM system.columns WHERE database = 'slotstream'
            UNION ALL
            SELECT name AS table, '' AS column, comment FROM system.tables WHERE database = 'slotstream' AND engine = 'View'`,
    format: 'JSONEachRow',
  })
  const wrong = (await result.json<Described>())
    .filter(({ table }) => descriptions[table])
    .map(({ table, column, comment }) => ({
      table,
      column,
      comment,
      description: descriptionOf(descriptions, table, column),
    }))
    .filter(({ comment, description }) => description !== comment)
  for (const table of new Set(wrong.map(({ table }) => table))) {
    const changes = wrong
      .filter(entry => entry.table === table)
      .map(({ column, description }) =>
        column === '' ? `MODIFY COMMENT ${quote(description)}` : `COMMENT COLUMN \`${column}\` ${quote(description)}`,
      )
    await clickhouse.command({ query: ddl(`ALTER TABLE slotstream.${table} ${changes.join(', ')}`) })
  }
}

/** Returns a text of ours as an SQL literal. */
const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
