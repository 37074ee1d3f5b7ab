import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import {
  createDeadLetters,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  numberSetting,
  type Publisher,
  readStream,
  watchGeneration,
} from '@slotstream/runtime'
import { divert } from './divert.js'
import { type Loader, startLoader } from './loader.js'
import { warehouseMetrics } from './metrics.js'
import { MigrationError, migrate, readMigrations } from './migrate.js'
import { positionKeeper } from './position.js'
import { persistently, Stopped } from './retry.js'
import { profilesSpec, SPECS, type StreamSpec } from './specs.js'
import { warehouseTable } from './table.js'
import { watchParts } from './watch-parts.js'

/** Messages the client holds while a block is inserted. */
const READ_AHEAD = 2_000

/** Bytes of message bodies in a block. Its rows take several times as much memory while it is inserted. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

const TAKEOVER_MS = 5_000

/** An insert of a block takes seconds at worst; after this it is tried again, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000

/** Settings of the warehouse, with their defaults. */
export function warehouseSettings(env: NodeJS.ProcessEnv = process.env) {
  return {
    /** How long a block waits for more, in milliseconds. Less: fresher tables, more and smaller parts. */
    maxAgeMs: numberSetting('WAREHOUSE_FLUSH_MS', 300, { min: 1, max: 60_000, env }),
    /** Rows of a block at most (a message's rows stay together). */
    maxRows: numberSetting('WAREHOUSE_BLOCK_ROWS', 50_000, { min: 1, max: 1_000_000, env }),
    maxBytes: MAX_BLOCK_BYTES,
  }
}

export interface WarehouseParts {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  /** A user who may write. */
  clickhouse: { url: string; username: string; password: string }
  metrics: Metrics
  log: Log
  settings?: ReturnType<typeof warehouseSettings>
}

export interface Warehouse {
  /** Finishes the blocks at hand, within 5 s. */
  stop(): Promise<void>
  /** What it still waits for, by name; empty when all streams are being loaded. */
  missing(): string[]
  /** Of each stream that it loads now: the sequence up to which it is loaded. */
  loaded(): Promise<{ stream: string; through: number }[]>
}

/**
 * The warehouse role: waits for ClickHouse, migrates its tables, then loads every stream. Returns at once; a
 * migration that can't be applied is in the log and in `missing`.
 */
export function startWarehouse({
  nats,
  publisher,
  installation,
  clickhouse: server,
  metrics,
  log,
  settings = warehouseSettings(),
}: WarehouseParts): Warehouse {
  const clickhouse = createClient({
    ...server,
    application: 'slotstream-warehouse',
    request_timeout: REQUEST_TIMEOUT_MS,
    // What goes wrong is in our own log, once in twenty times instead of each.
    log: { level: ClickHouseLogLevel.OFF },
  })
  const abort = new AbortController()
  const counters = warehouseMetrics(metrics)
  const bury = createDeadLetters({ nats, publisher, role: 'warehouse', metrics, log })
  const loaders = new Map<string, Loader>()
  let waitingFor = 'clickhouse'
  let watching: { stop(): void } | undefined

  function start(spec: StreamSpec): Loader {
    return startLoader({
      spec,
      table: warehouseTable(clickhouse, spec),
      position: positionKeeper(installation.buckets.positions, spec.stream),
      read: from => readStream(nats, spec.stream, { from, buffer: READ_AHEAD, log }),
      lastSequence: async () => (await nats.manager.streams.info(spec.stream)).state.last_seq,
      divert: refused => divert(nats, spec.stream, refused),
      bury: (seq, error) => bury(spec.stream, seq, error),
      limits: settings,
      takeoverMs: TAKEOVER_MS,
      metrics: counters,
      log,
    })
  }

  async function begin() {
    const migrations = await readMigrations()
    const applied = await persistently(
      () => migrate(clickhouse, migrations),
      abort.signal,
      (error, attempt) => {
        if (attempt % 20 === 0) log.warn({ err: error }, 'ClickHouse is not ready yet, trying again')
      },
      error => error instanceof MigrationError,
    )
    if (applied.length > 0) log.info({ applied }, 'migrated')
    if (abort.signal.aborted) return
    void watchParts(clickhouse, metrics, log, abort.signal)
    const { generation, buckets } = installation
    const profiles = profilesSpec(generation)
    for (const spec of [SPECS.events, SPECS.decisions, SPECS.rejected, profiles]) loaders.set(spec.stream, start(spec))
    waitingFor = ''
    watching = await watchGeneration(nats, buckets.meta, generation, next => loadProfiles(profilesSpec(next)), log)
    if (abort.signal.aborted) watching.stop()
  }

  /** Loads the profiles of another generation instead: what the older one still has to say counts no more. */
  function loadProfiles(spec: StreamSpec): void {
    if (abort.signal.aborted) return
    for (const [stream, loader] of loaders) {
      if (!stream.startsWith(SPECS.profiles.stream)) continue
      loaders.delete(stream)
      void loader.stop().then(() => counters.position.remove({ stream }))
    }
    loaders.set(spec.stream, start(spec))
  }

  const beginning = begin().catch(error => {
    if (error instanceof Stopped) return
    waitingFor = error instanceof MigrationError ? error.message : 'migrations'
    log.fatal({ err: error }, 'the warehouse could not start')
  })
  return {
    async stop() {
      abort.abort()
      watching?.stop()
      await beginning
      await Promise.all([...loaders.values()].map(loader => loader.stop()))
      await clickhouse.close()
    },
    async loaded() {
      const { values } = await counters.position.get()
      return values.map(({ labels, value }) => ({ stream: String(labels.stream), through: value }))
    },
    missing() {
      if (waitingFor) return [waitingFor]
      return [...loaders].filter(([, loader]) => !loader.ready).map(([stream]) => `warehouse ${stream}`)
    },
  }
}
