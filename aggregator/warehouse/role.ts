import type { Lag, Trouble } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  retryForever,
  Stopped,
  type Tombstones,
  watchGeneration,
} from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import { type WarehouseSettings, warehouseSettings } from '../settings.js'
import { createTroubles } from './load/troubles.js'
import { createLoaders } from './loaders.js'
import { warehouseMetrics } from './metrics.js'
import { completeThrough, positionKeeper } from './positions/position.js'
import { clusterDdl } from './tables/cluster-ddl.js'
import { describeTables, readDescriptions } from './tables/describe-tables.js'
import { MigrationError, migrate, readMigrations } from './tables/migrate.js'
import { watchRetention } from './tables/retention.js'
import { type StreamSpec, specsOf } from './tables/specs.js'
import { watchParts } from './tables/watch-parts.js'

/** Bytes of message bodies in a block. Its rows take several times as much memory while it is inserted. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

/** An insert of a block takes seconds at worst; after this it is tried again, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000

/** What is waited for before any stream can be loaded. */
const CLICKHOUSE = 'clickhouse'

export interface WarehouseParts {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  /** A user who may write. */
  clickhouse: ClickHouseServer & { cluster?: string }
  metrics: Metrics
  log: Log
  identity: Identity
  /** Default: those of an empty environment */
  settings?: WarehouseSettings
  /** Rows from before a person's deletion are left out. Default: none was deleted */
  tombstones?: Tombstones
}

export interface Warehouse {
  /** Finishes the blocks at hand, within 5 s. */
  stop(): Promise<void>
  /** Whether this process loads the stream of that name now. */
  holds(name: string): boolean
  /** What it still waits for, by name; empty when all streams are being loaded, here or elsewhere. */
  missing(): string[]
  /** Of each stream that it loads now, or that no process loads: the sequence up to which it is in its table. */
  loaded(): Promise<{ stream: string; through: number }[]>
  /** What it fails at now, and tries again. */
  troubles(): Trouble[]
  /** Notes how far a stream's loading is behind, for `/metrics`. */
  noteLag(lag: Pick<Lag, 'stream' | 'messages' | 'seconds'>): void
}

/**
 * The warehouse role: waits for ClickHouse, migrates its tables, then loads its share of the streams. Returns at once;
 * a migration that can't be applied is in the log and in `missing`.
 */
export function startWarehouse({
  nats,
  publisher,
  installation,
  clickhouse: { cluster = '', ...server },
  metrics,
  log,
  identity,
  settings = warehouseSettings({}),
  tombstones,
}: WarehouseParts): Warehouse {
  const clickhouse = openClickHouse(server, 'warehouse', { timeoutMs: REQUEST_TIMEOUT_MS, loads: true })
  const ddl = clusterDdl(cluster)
  const abort = new AbortController()
  const counters = warehouseMetrics(metrics)
  const specs = specsOf(installation)
  const troubles = createTroubles(metrics)
  let leaseGroup: LeaseGroup | undefined
  const loaders = createLoaders({
    nats,
    publisher,
    installation,
    clickhouse,
    isReplicated: cluster !== '',
    specs,
    limits: { ...settings, maxBytes: MAX_BLOCK_BYTES },
    tombstones,
    holds: name => leaseGroup?.holds(name) ?? false,
    verify: async name => (await leaseGroup?.verify(name)) ?? false,
    metrics,
    counters,
    troubles,
    log,
    abort: abort.signal,
  })
  let waitingFor = CLICKHOUSE
  let watching: { stop(): void } | undefined

  /** Waits for ClickHouse, and for its tables to be as this version needs them. */
  async function migrateTables(): Promise<void> {
    const migrations = await readMigrations()
    const applied = await retryForever(
      () => migrate(clickhouse, migrations, ddl),
      abort.signal,
      (error, attempt) => {
        troubles.failed(CLICKHOUSE, error)
        if (attempt % 20 === 0) log.warn({ err: error }, 'ClickHouse is not ready yet, trying again')
      },
      error => error instanceof MigrationError,
    )
    troubles.cleared(CLICKHOUSE)
    if (applied.length > 0) log.info({ applied }, 'migrated')
  }

  async function begin() {
    await migrateTables()
    if (abort.signal.aborted) return
    // Comments are a help for readers: loading doesn't wait for them, and goes on where they can't be written.
    readDescriptions()
      .then(descriptions => describeTables(clickhouse, descriptions, ddl))
      .catch(error => log.warn({ err: error }, 'the descriptions of tables could not be written'))
    void watchParts(clickhouse, metrics, log, abort.signal)
    const { sites } = installation.buckets
    void watchRetention({ nats, sites, clickhouse, ddl, log, signal: abort.signal })
    leaseGroup = await joinLeaseGroup({
      nats,
      installation,
      metrics,
      log,
      identity,
      group: 'warehouse',
      resources: [...specs.keys()],
      onGain: names => names.forEach(loaders.start),
      onRelease: loaders.stop,
      onLose: loaders.drop,
    })
    waitingFor = ''
    const { generation, buckets } = installation
    watching = await watchGeneration(nats, buckets.meta, generation, loaders.loadGeneration, log)
  }

  /** Sequence up to which a stream is loaded, as its last owner announced it. */
  async function storedPosition({ stream, positions }: StreamSpec): Promise<number> {
    const position = await positionKeeper(installation.buckets.positions, stream).load()
    const base = (positions?.first ?? 1) - 1
    const complete = completeThrough(position, base) ?? (position?.first ?? base + 1) - 1
    return Math.max(0, complete - (position?.offset ?? base))
  }

  const beginning = begin().catch(error => {
    if (error instanceof Stopped) return
    waitingFor = error instanceof MigrationError ? error.message : 'migrations'
    troubles.failed(CLICKHOUSE, error)
    log.fatal({ err: error }, 'the warehouse could not start')
  })
  return {
    async stop() {
      abort.abort()
      await beginning
      watching?.stop()
      await leaseGroup?.stop()
      await clickhouse.close()
    },
    holds: name => leaseGroup?.holds(name) ?? false,
    async loaded() {
      const { values } = await counters.position.get()
      const known = new Map(values.map(({ labels, value }) => [String(labels.stream), value]))
      // What no process loads has a position all the same: a lag that is not reported looks like none.
      const names = leaseGroup ? new Set([...loaders.names(), ...leaseGroup.unowned()]) : specs.keys()
      return Promise.all(
        [...names]
          .flatMap(name => specs.get(name) ?? [])
          .map(async spec => ({
            stream: spec.stream,
            through: known.get(spec.stream) ?? (await storedPosition(spec)),
          })),
      )
    },
    troubles: troubles.list,
    noteLag({ stream, messages, seconds }) {
      counters.lagMessages.set({ stream }, messages)
      counters.lagSeconds.set({ stream }, seconds)
    },
    missing() {
      if (waitingFor) return [waitingFor]
      const unowned = leaseGroup?.unowned() ?? []
      return [...unowned, ...loaders.notReady()].map(name => `warehouse ${name}`)
    },
  }
}
