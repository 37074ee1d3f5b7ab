import type { Lag, Trouble } from '@slotstream/protocol'
import {
  createDeadLetters,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  numberSetting,
  type Publisher,
  readStream,
  retryForever,
  Stopped,
  skipEntry,
  type Tombstones,
  watchGeneration,
} from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { type Identity, type Sharing, startOwnership } from '../ownership/start-ownership.js'
import { divert } from './load/divert.js'
import { fenced } from './load/fence.js'
import { type Loader, startLoader } from './load/loader.js'
import { createTroubles } from './load/troubles.js'
import { warehouseMetrics } from './metrics.js'
import { completeThrough, positionKeeper } from './positions/position.js'
import { clusterDdl } from './tables/cluster-ddl.js'
import { describeTables, readDescriptions } from './tables/describe-tables.js'
import { MigrationError, migrate, readMigrations } from './tables/migrate.js'
import { watchRetention } from './tables/retention.js'
import { profilesSpec, type StreamSpec, specsOf } from './tables/specs.js'
import { warehouseTable } from './tables/table.js'
import { watchParts } from './tables/watch-parts.js'

/** Messages the client holds while a block is inserted: each may be as large as a batch. */
const READ_AHEAD = 1_000

/** Bytes of message bodies in a block. Its rows take several times as much memory while it is inserted. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

/** An insert of a block takes seconds at worst; after this it is tried again, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000

/** What is waited for before any stream can be loaded. */
const CLICKHOUSE = 'clickhouse'

/** Settings of the warehouse, with their defaults. */
export function warehouseSettings(env: NodeJS.ProcessEnv = process.env) {
  return {
    /** How long a block waits for more, in milliseconds. Less: fresher tables, more and smaller parts. */
    maxAgeMs: numberSetting('WAREHOUSE_FLUSH_MS', env),
    /** Rows of a block at most (a message's rows stay together). */
    maxRows: numberSetting('WAREHOUSE_BLOCK_ROWS', env),
    maxBytes: MAX_BLOCK_BYTES,
  }
}

export interface WarehouseParts {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  /** A user who may write. */
  clickhouse: ClickHouseServer & { cluster?: string }
  metrics: Metrics
  log: Log
  identity: Identity
  settings?: ReturnType<typeof warehouseSettings>
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
  settings = warehouseSettings(),
  tombstones,
}: WarehouseParts): Warehouse {
  const clickhouse = openClickHouse(server, 'warehouse', { timeoutMs: REQUEST_TIMEOUT_MS, loads: true })
  const ddl = clusterDdl(cluster)
  const abort = new AbortController()
  const counters = warehouseMetrics(metrics)
  const bury = createDeadLetters({ nats, publisher, role: 'warehouse', metrics, log })
  const specs = specsOf(installation)
  const troubles = createTroubles(metrics)
  const loaders = new Map<string, Loader>()
  let sharing: Sharing | undefined
  let waitingFor = CLICKHOUSE
  let watching: { stop(): void } | undefined

  function start(name: string): void {
    const spec = specs.get(name)
    if (!spec || abort.signal.aborted) return
    const loader = startLoader({
      spec,
      table: fenced(warehouseTable(clickhouse, spec, cluster !== ''), () => sharing?.holds(name) ?? false),
      position: positionKeeper(installation.buckets.positions, spec.stream, undefined, reason =>
        skipEntry(log, 'positions', { stream: spec.stream }, reason),
      ),
      read: from => readStream(nats, spec.stream, { from, buffer: READ_AHEAD, log }),
      lastSequence: async () => (await nats.manager.streams.info(spec.stream)).state.last_seq,
      divert: refused => divert(nats, spec.stream, refused),
      bury: (seq, error) => bury(spec.stream, seq, error),
      limits: { ...settings, maxAgeMs: Math.max(settings.maxAgeMs, spec.waitsMs ?? 0) },
      verify: async () => (await sharing?.verify(name)) ?? false,
      metrics: counters,
      troubles,
      log,
      ...(tombstones && { tombstones }),
    })
    loaders.set(name, loader)
  }

  function take(name: string): Loader | undefined {
    const loader = loaders.get(name)
    loaders.delete(name)
    return loader
  }

  async function begin() {
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
    if (abort.signal.aborted) return
    // Comments are a help for readers: loading doesn't wait for them, and goes on where they can't be written.
    readDescriptions()
      .then(descriptions => describeTables(clickhouse, descriptions, ddl))
      .catch(error => log.warn({ err: error }, 'the descriptions of tables could not be written'))
    void watchParts(clickhouse, metrics, log, abort.signal)
    const { sites } = installation.buckets
    void watchRetention({ nats, sites, clickhouse, ddl, log, signal: abort.signal })
    sharing = await startOwnership({
      nats,
      installation,
      metrics,
      log,
      identity,
      group: 'warehouse',
      resources: [...specs.keys()],
      onGain: names => names.forEach(start),
      onRelease: async name => take(name)?.stop(),
      onLose: name => take(name)?.drop(),
    })
    waitingFor = ''
    const { generation, buckets } = installation
    watching = await watchGeneration(nats, buckets.meta, generation, loadProfiles, log)
  }

  /** Loads the profiles of another generation instead: what the older one still has to say counts no more. */
  function loadProfiles(generation: number): void {
    specs.set('profiles', profilesSpec(generation))
    const old = take('profiles')
    if (!old) return
    void old.stop()
    start('profiles')
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
      await sharing?.stop()
      await clickhouse.close()
    },
    holds: name => sharing?.holds(name) ?? false,
    async loaded() {
      const { values } = await counters.position.get()
      const known = new Map(values.map(({ labels, value }) => [String(labels.stream), value]))
      // What no process loads has a position all the same: a lag that is not reported looks like none.
      const names = sharing ? new Set([...loaders.keys(), ...sharing.unowned()]) : specs.keys()
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
      const unowned = sharing?.unowned() ?? []
      const notYet = [...loaders].filter(([, loader]) => !loader.ready).map(([name]) => name)
      return [...unowned, ...notYet].map(name => `warehouse ${name}`)
    },
  }
}
