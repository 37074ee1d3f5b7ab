import type { ClickHouseClient } from '@clickhouse/client'
import {
  createDeadLetters,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  readStream,
  skipEntry,
  type Tombstones,
} from '@slotstream/runtime'
import { type Loader, type LoaderDeps, startLoader } from './load/loader.js'
import type { Troubles } from './load/troubles.js'
import { storeRejected } from './load/write/store-rejected.js'
import { withLeaseCheck } from './load/write/with-lease-check.js'
import type { WarehouseMetrics } from './metrics.js'
import { positionKeeper } from './positions/position.js'
import { type FeaturesOf, profilesSpec, type StreamSpec } from './tables/specs.js'
import { warehouseTable } from './tables/table.js'

/** Messages the client holds while a block is inserted: each may be as large as a batch. */
const READ_AHEAD = 1_000

/** Shared by the loaders of a process. */
export interface LoadersDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Pick<Installation, 'buckets'>
  clickhouse: ClickHouseClient
  /** True if the tables are replicated on a cluster. */
  isReplicated: boolean
  /** Streams that can be loaded, by name. */
  specs: Map<string, StreamSpec>
  /** See `profilesSpec`. */
  featuresOf: FeaturesOf
  /** Bounds of a block. A stream whose rows wait on purpose may have more time. */
  limits: LoaderDeps['limits']
  tombstones: Tombstones | undefined
  /** Returns whether this process holds the stream, as far as it knows. */
  holds: (name: string) => boolean
  /** Asks the store whether this process holds the stream. Rejects when that cannot be known. */
  verify: (name: string) => Promise<boolean>
  metrics: Metrics
  counters: WarehouseMetrics
  troubles: Troubles
  log: Log
  /** Once it is aborted, none is started. */
  abort: AbortSignal
}

/** The loaders of one process, by the names of what they load. */
export interface Loaders {
  start(name: string): void
  /** Finishes the block at hand, within 5 s. */
  stop(name: string): Promise<void>
  /** Ends a loader at once: another process has its stream. */
  drop(name: string): void
  /** Loads the profiles of another generation instead: what the older one still has to say is no longer of use. */
  loadGeneration(generation: number): void
  names(): string[]
  /** Returns the names of those that do not read their stream yet. */
  notReady(): string[]
}

/** Creates the loaders of a process: none yet. */
export function createLoaders(deps: LoadersDeps): Loaders {
  const { nats, publisher, installation, clickhouse, isReplicated, specs, limits, tombstones, log } = deps
  const storeDeadLetter = createDeadLetters({ nats, publisher, role: 'warehouse', metrics: deps.metrics, log })
  const loaders = new Map<string, Loader>()

  function start(name: string): void {
    const spec = specs.get(name)
    if (!spec || deps.abort.aborted) return
    const loader = startLoader({
      spec,
      table: withLeaseCheck(warehouseTable(clickhouse, spec, isReplicated), () => deps.holds(name)),
      ...(spec.beside && {
        beside: withLeaseCheck(warehouseTable(clickhouse, { ...spec, table: spec.beside.table }, isReplicated), () =>
          deps.holds(name),
        ),
      }),
      position: positionKeeper(installation.buckets.positions, spec.stream, undefined, reason =>
        skipEntry(log, 'positions', { stream: spec.stream }, reason),
      ),
      read: from => readStream(nats, spec.stream, { from, buffer: READ_AHEAD, log }),
      lastSequence: async () => (await nats.manager.streams.info(spec.stream)).state.last_seq,
      storeRejected: rejected => storeRejected(nats, spec.stream, rejected),
      deadLetter: (seq, error) => storeDeadLetter(spec.stream, seq, error),
      limits: { ...limits, maxAgeMs: Math.max(limits.maxAgeMs, spec.waitsMs ?? 0) },
      verify: () => deps.verify(name),
      metrics: deps.counters,
      troubles: deps.troubles,
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

  return {
    start,
    stop: async name => take(name)?.stop(),
    drop: name => take(name)?.drop(),
    loadGeneration(generation) {
      specs.set('profiles', profilesSpec(generation, deps.featuresOf))
      const old = take('profiles')
      if (!old) return
      void old.stop()
      start('profiles')
    },
    names: () => [...loaders.keys()],
    notReady: () => [...loaders].filter(([, loader]) => !loader.ready).map(([name]) => name),
  }
}
