import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { MAIN, PASSWORD, start, stop } from './embedded-server.js'

/** The variable that names the folder in tests' processes. */
const FOLDER = 'TEST_MIGRATED_TABLES'
/** As built, as the programs are: what sets up all tests isn't read with the sources' conditions. */
const MIGRATIONS = new URL('../../aggregator/dist/warehouse/tables/migrate.js', import.meta.url)

/**
 * Makes a data folder of the embedded ClickHouse with all migrations applied, for tests to copy: what takes seconds is
 * done once for all of them. Does nothing the second time.
 *
 * @returns what removes it, or undefined when it was there
 */
export async function makeMigratedTables(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[FOLDER] || !existsSync(MAIN)) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-tables-'))
  const { url, process: server } = await start(folder)
  const account = { url, username: 'slotstream', password: PASSWORD }
  const client = createClient({ ...account, request_timeout: 60_000, log: { level: ClickHouseLogLevel.OFF } })
  const { migrate, readMigrations }: typeof import('#aggregator/warehouse/tables/migrate.js') = await import(
    MIGRATIONS.href
  )
  await migrate(client, await readMigrations())
  await client.close()
  await stop(server, 'SIGTERM')
  process.env[FOLDER] = folder
  return () => rm(folder, { recursive: true, force: true })
}

/** Fills a data folder of the embedded ClickHouse that isn't there yet with migrated, empty tables. */
export async function copyMigratedTables(dataFolder: string): Promise<void> {
  const folder = process.env[FOLDER]
  if (folder) await cp(folder, dataFolder, { recursive: true, verbatimSymlinks: true })
}
