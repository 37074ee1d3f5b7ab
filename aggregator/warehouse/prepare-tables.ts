import type { ClickHouseClient } from '@clickhouse/client'
import { type Installation, type Log, type Metrics, type Nats, retryForever, Stopped } from '@slotstream/runtime'
import { doAlone } from '../ownership/do-alone.js'
import type { Identity } from '../ownership/join-lease-group.js'
import type { Troubles } from './load/troubles.js'
import { clusterDdl } from './tables/cluster-ddl.js'
import { describeTables, readDescriptions } from './tables/describe-tables.js'
import { MigrationError, migrate, pendingMigrations, readMigrations } from './tables/migrate.js'
import { watchRetention } from './tables/retention.js'
import { watchParts } from './tables/watch-parts.js'

/** Name of what is waited for before any stream can be loaded. */
export const CLICKHOUSE = 'clickhouse'

export interface PrepareTablesDeps {
  nats: Nats
  installation: Installation
  identity: Identity
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
 * Waits for ClickHouse, and migrates its tables to what this version needs. From then on it applies the sites'
 * retention, and watches how many parts the tables have.
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

async function migrateTables(deps: PrepareTablesDeps, ddl: ReturnType<typeof clusterDdl>): Promise<void> {
  const { clickhouse, troubles, log, abort } = deps
  const migrations = await readMigrations()
  const applied = await retryForever(
    async () => {
      if ((await pendingMigrations(clickhouse, migrations, ddl)).length === 0) return []
      return doAlone({ ...deps, group: 'migrations' }, abort, isMyTurn =>
        migrate(clickhouse, migrations, ddl, isMyTurn),
      )
    },
    abort,
    (error, attempt) => {
      troubles.failed(CLICKHOUSE, error)
      if (attempt % 20 === 0) log.warn({ err: error }, 'ClickHouse is not ready yet, trying again')
    },
    error => error instanceof MigrationError || error instanceof Stopped,
  )
  troubles.cleared(CLICKHOUSE)
  if (applied.length > 0) log.info({ applied }, 'migrated')
}
