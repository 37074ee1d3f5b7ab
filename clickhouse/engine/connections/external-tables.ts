import { quoteName } from '../../sql/quote.js'
import { fromSpool } from '../execute.js'
import type { Spool } from '../files/spool.js'
import type { EngineConnection } from './engine-connection.js'

/** A table that came with a query and belongs to it alone. */
export interface ExternalTable {
  name: string
  /** Checked names and types, as in a CREATE TABLE. */
  columns: string
  /** A checked input format. */
  format: string
  rows: Buffer
}

/** Bytes that all tables of one query may take in memory, and seconds to load each. */
export const EXTERNAL_TABLES_MEMORY = 256_000_000
const LOAD_SECONDS = 10

/**
 * Closes a connection that has such tables. What they hold is let go first: the library closes no connection while any
 * query runs, and a lock against writing doesn't keep a connection from emptying what is its own.
 */
export function closeWithTables(connection: EngineConnection, tables: readonly ExternalTable[]): void {
  const emptied = tables.map(({ name }) => connection.queryAsync(`TRUNCATE TEMPORARY TABLE ${quoteName(name)}`))
  void Promise.allSettled(emptied).then(() => connection.close())
}

/**
 * Puts tables into a connection that is new and locked afterwards. They go with it.
 *
 * @returns the settings that the connection has afterwards
 * @throws what the engine says, such as that rows have another format
 */
export async function loadTables(
  connection: EngineConnection,
  tables: readonly ExternalTable[],
  spool: Spool,
): Promise<Map<string, string>> {
  const memory = Math.floor(EXTERNAL_TABLES_MEMORY / tables.length)
  const settings = new Map([
    ['max_memory_usage', String(memory)],
    ['max_execution_time', String(LOAD_SECONDS)],
    ['max_threads', '1'],
    ['max_insert_threads', '1'],
  ])
  const limits = [...settings].map(([name, value]) => `SET ${name} = ${value}`)
  await connection.queryAsync(limits.join('; '))
  for (const { name, columns, format, rows } of tables) {
    await connection.queryAsync(`CREATE TEMPORARY TABLE ${quoteName(name)} (${columns}) ENGINE = Memory`)
    if (rows.length === 0) continue
    const into = `INSERT INTO ${quoteName(name)} `
    await fromSpool(connection, { sql: `${into}FORMAT ${format}`, sourceStart: into.length }, spool, rows)
  }
  return settings
}
