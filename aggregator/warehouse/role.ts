import type { Lag, Trouble } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  Stopped,
  type Tombstones,
  watchGeneration,
} from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import { createSitesDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../profiles/definitions/watch-definitions.js'
import { type WarehouseSettings, warehouseSettings } from '../settings.js'
import { createTroubles } from './load/troubles.js'
import { loadedThrough } from './loaded-through.js'
import { createLoaders } from './loaders.js'
import { warehouseMetrics } from './metrics.js'
import { CLICKHOUSE, prepareTables } from './prepare-tables.js'
import { MigrationError } from './tables/migrate.js'
import { specsOf } from './tables/specs.js'

/** Bytes of message bodies in a block. Its rows take several times as much memory while it is inserted. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024

/** An insert of a block takes seconds at worst; after this it is tried again, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000

export interface WarehouseDeps {
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
  /** Returns whether this process loads the stream of that name now. */
  holds(name: string): boolean
  /** Returns what it still waits for, by name; empty when all streams are being loaded, here or elsewhere. */
  missing(): string[]
  /**
   * Returns the sequence up to which each stream is in its table, of those that it loads now, or that no process loads.
   */
  loaded(): Promise<{ stream: string; through: number }[]>
  /** Returns what fails now and is repeated. */
  troubles(): Trouble[]
  /** Notes how far a stream's loading is behind, for `/metrics`. */
  noteLag(lag: Pick<Lag, 'stream' | 'messages' | 'seconds'>): void
}

/**
 * Starts the warehouse role: it waits for ClickHouse, migrates its tables, then loads its share of the streams. Returns
 * at once; a migration that cannot be applied is in the log and in `missing`.
 */
export function startWarehouse(deps: WarehouseDeps): Warehouse {
  const { nats, installation, metrics, log, identity } = deps
  const { cluster = '', ...server } = deps.clickhouse
  const clickhouse = openClickHouse(server, 'warehouse', { timeoutMs: REQUEST_TIMEOUT_MS, loads: true })
  const abort = new AbortController()
  const counters = warehouseMetrics(metrics)
  const definitions = createSitesDefinitions(log)
  const featuresOf = (siteId: string) => definitions.of(siteId).features
  const specs = specsOf(installation, featuresOf)
  const troubles = createTroubles(metrics)
  let leaseGroup: LeaseGroup | undefined
  const loaders = createLoaders({
    ...deps,
    clickhouse,
    isReplicated: cluster !== '',
    specs,
    featuresOf,
    limits: { ...(deps.settings ?? warehouseSettings({})), maxBytes: MAX_BLOCK_BYTES },
    tombstones: deps.tombstones,
    holds: name => leaseGroup?.holds(name) ?? false,
    verify: async name => (await leaseGroup?.verify(name)) ?? false,
    counters,
    troubles,
    abort: abort.signal,
  })
  let waitingFor = CLICKHOUSE
  let watching: { stop(): void } | undefined
  let watchingDefinitions: { stop(): void } | undefined

  async function begin() {
    await prepareTables({ ...deps, clickhouse, cluster, troubles, abort: abort.signal })
    if (abort.signal.aborted) return
    watchingDefinitions = await watchDefinitions(nats, installation.buckets.definitions, definitions.set, log)
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
      watchingDefinitions?.stop()
      await leaseGroup?.stop()
      await clickhouse.close()
    },
    holds: name => leaseGroup?.holds(name) ?? false,
    loaded() {
      // What no process loads has a position all the same: a lag that is not reported looks like none.
      const names = leaseGroup ? new Set([...loaders.names(), ...leaseGroup.unowned()]) : specs.keys()
      const loadedSpecs = [...names].flatMap(name => specs.get(name) ?? [])
      return loadedThrough(loadedSpecs, counters, installation.buckets.positions)
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
