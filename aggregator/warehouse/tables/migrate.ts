import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { ClickHouseClient } from '@clickhouse/client'
import { readReceivedPeriods } from './received-periods.js'

/** A migration was changed after it had been applied. */
export class MigrationError extends Error {
  override name = 'MigrationError'
  readonly code = 'migration'
}

export interface Migration {
  version: number
  name: string
  sql: string
  checksum: string
}

/** Returns the folder of the numbered SQL files, from the sources as well as from dist/. */
export function migrationsFolder(): URL {
  const beside = new URL('../migrations/', import.meta.url)
  return existsSync(beside) ? beside : new URL('../../../warehouse/migrations/', import.meta.url)
}

/** Reads the migrations of a folder, in order. Default: those of this version */
export async function readMigrations(folder: URL = migrationsFolder()): Promise<Migration[]> {
  const files = (await readdir(folder)).filter(file => /^\d{4}_\w+\.sql$/.test(file)).sort()
  return Promise.all(
    files.map(async file => {
      const sql = await readFile(new URL(file, folder), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum }
    }),
  )
}

/** Splits a file into statements: each ends with `;` at the end of a line. */
export function statementsOf(sql: string): string[] {
  return sql
    .split(/;[ \t]*$/m)
    .map(statement => statement.trim())
    .filter(statement => statement.replace(/^--.*$/gm, '').trim() !== '')
}

/** The parameters by which a statement says that it runs for each period in which events were received, one by one. */
const IS_BY_PERIOD = /\{from:DateTime\('UTC'\)\}/

/**
 * Brings the database `slotstream` up to the newest migration. Forward only; doing it again, also after it was
 * interrupted, changes nothing: every statement says IF NOT EXISTS, changes a column to what it may be already,
 * replaces a view, or inserts what is not there yet. One process at a time: of two, the slower one would replace views
 * by those of earlier migrations. What inserts rows of many events does so in periods (`IS_BY_PERIOD`): each is far
 * from the time limit of a request, and one that was interrupted begins with what is missing.
 *
 * @param ddl rewrites a statement for a cluster
 * @param isMyTurn resolves to whether no other process does it, asked before each statement. Default: always
 * @returns versions applied now
 * @throws MigrationError when a file differs from what was applied under its number
 * @throws Error when it is not this process's turn any more
 */
export async function migrate(
  clickhouse: ClickHouseClient,
  migrations: Migration[],
  ddl: (sql: string) => string = sql => sql,
  isMyTurn: () => Promise<boolean> = async () => true,
): Promise<number[]> {
  const pending = await pendingMigrations(clickhouse, migrations, ddl)
  const run = async (query: string, params: Record<string, unknown> = {}) => {
    if (!(await isMyTurn())) throw new Error('another process migrates the tables now')
    await clickhouse.command({ query: ddl(query), query_params: params })
  }
  const record = ({ version, name, checksum }: Migration) =>
    clickhouse.insert({
      table: 'slotstream.migrations',
      columns: ['version', 'name', 'checksum'],
      values: [{ version, name, checksum }],
      format: 'JSONEachRow',
    })
  for (const migration of pending) {
    for (const statement of statementsOf(migration.sql)) {
      if (!IS_BY_PERIOD.test(statement)) await run(statement)
      else for (const { from, until } of await readReceivedPeriods(clickhouse)) await run(statement, { from, until })
    }
    // Each by itself: what is interrupted goes on where it was. From the beginning it could not, because views of
    // earlier migrations do not fit tables of later ones.
    await record(migration)
  }
  return pending.map(({ version }) => version)
}

/**
 * Returns the migrations that are still to be applied.
 *
 * @throws MigrationError when a file differs from what was applied under its number
 */
export async function pendingMigrations(
  clickhouse: ClickHouseClient,
  migrations: Migration[],
  ddl: (sql: string) => string,
): Promise<Migration[]> {
  const run = (query: string) => clickhouse.command({ query: ddl(query) })
  await run('CREATE DATABASE IF NOT EXISTS slotstream')
  await run(
    `CREATE TABLE IF NOT EXISTS slotstream.migrations
     (version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3), checksum String)
     ENGINE = ReplacingMergeTree ORDER BY version`,
  )
  const result = await clickhouse.query({
    query: 'SELECT version, checksum FROM slotstream.migrations FINAL',
    format: 'JSONEachRow',
  })
  const applied = new Map(
    (await result.json<{ version: number; checksum: string }>()).map(m => [m.version, m.checksum]),
  )
  return migrations.filter(({ version, name, checksum }) => {
    const appliedChecksum = applied.get(version)
    if (appliedChecksum !== undefined && appliedChecksum !== checksum)
      throw new MigrationError(
        `migration ${version} (${name}) was changed after it had been applied: put the file back as it was and add a new one`,
      )
    return appliedChecksum === undefined
  })
}
