import type { ClickHouseClient } from '@clickhouse/client'
import { type Installation, type Log, type Metrics, type Nats, retryForever } from '@slotstream/runtime'
import type { Troubles } from './load/troubles.js'
import { clusterDdl } from './tables/cluster-ddl.js'
import { describeTables, readDescriptions } from './tables/describe-tables.js'
import { MigrationError, migrate, readMigrations } from './tables/migrate.js'
import { watchRetention } from './tables/retention.js'
import { watchParts } from './tables/watch-parts.js'

/** Name of what is waited for before any stream can be loaded. */
export const CLICKHOUSE = 'clickhouse'

export interface PrepareTablesDeps {
  nats: Nats
  installation: Pick<Installation, 'buckets'>
  clickhouse: ClickHouseClient
  /** Name of the cluster of the tables; empty: one server. */
  cluster: string
  troubles: Troubles
  metrics: Metrics
  log: Log
  /** Ends it, and what it leaves running. */
  abort: AbortSignal
}

/**
 * Waits for ClickHouse, and migrates its tables to what this version needs. From then on it applies the sites' retention,
 * and watches how many parts the tables have.
 *
 * @throws MigrationError when a migration cannot be applied
 * @throws Stopped when it is aborted meanwhile
 */
export async function prepareTables(deps: PrepareTablesDeps): Promise<void> {
  const { nats, installation, clickhouse, cluster, metrics, log, abort } = deps
  const ddl = clusterDdl(cluster)
  await migrateTables(deps, ddl)
  if (abort.aborted) return
  // Comments are a help for readers: loading doesn't wait for them, and goes on where they can't be written.
  readDescriptions()
    .then(descriptions => describeTables(clickhouse, descriptions, ddl))
    .catch(error => log.warn({ err: error }, 'the descriptions of tables could not be written'))
  void watchParts(clickhouse, metrics, log, abort)
  void watchRetention({ nats, sites: installation.buckets.sites, clickhouse, ddl, log, signal: abort })
}

async function migrateTables(
  { clickhouse, troubles, log, abort }: PrepareTablesDeps,
  ddl: ReturnType<typeof clusterDdl>,
): Promise<void> {
  const migrations = await readMigrations()
  const applied = await retryForever(
    () => migrate(clickhouse, migrations, ddl),
    abort,
    (error, attempt) => {
      troubles.failed(CLICKHOUSE, error)
      if (attempt % 20 === 0) log.warn({ err: error }, 'ClickHouse is not ready yet, trying again')
    },
    error => error instanceof MigrationError,
  )
  troubles.cleared(CLICKHOUSE)
  if (applied.length > 0) log.info({ applied }, 'migrated')
}
