import { type Installation, type Log, type Metrics, type Nats, Stopped } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import { keepLakeClean } from '../people/clean/keep-lake-clean.js'
import { watchJobs } from '../people/watch-jobs.js'
import { completeThrough, positionKeeper } from '../warehouse/positions/position.js'
import { fillLake } from './fill-lake.js'
import { lakeFolder } from './lake-files.js'
import { lakeSources } from './lake-sources.js'
import { lakeMetrics } from './metrics.js'
import { tableRanges } from './table-ranges.js'
import { claimLake } from './whose-lake.js'

/** A file takes seconds at worst; after this it is tried again, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10 * 60_000

/** The installation, and where its lake is. */
export interface LakeDeps {
  nats: Nats
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  /** Folder of the lake, and the time between two files, in milliseconds. */
  lake: { dir: string; everyMs: number }
  metrics: Metrics
  log: Log
  identity: Identity
}

/**
 * Keeps the lake, for this process's share of the streams. Those that share it must see the same folder. Resolves when
 * it has joined; ClickHouse is not waited for.
 */
export async function startLake(deps: LakeDeps): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, clickhouse: server, lake, metrics, log, identity } = deps
  const clickhouse = openClickHouse(server, 'batch', { timeoutMs: REQUEST_TIMEOUT_MS })
  const counters = lakeMetrics(metrics)
  const sources = new Map(lakeSources(installation).map(source => [source.stream, source]))
  let leaseGroup: LeaseGroup | undefined
  const jobs = await watchJobs(nats, installation.buckets.jobs, log)
  const filling = new Map<string, { ended: Promise<void>; abort: AbortController }>()

  function start(stream: string): void {
    const { base, table } = sources.get(stream)!
    const abort = new AbortController()
    const { signal } = abort
    const position = positionKeeper(installation.buckets.positions, stream)
    const ended = fillLake({
      stream,
      base,
      folder: lakeFolder(lake.dir, table),
      table: tableRanges(clickhouse, table, signal),
      claim: () => claimLake(lake.dir, installation.buckets.meta),
      complete: async () => completeThrough(await position.load(), base),
      verify: async () => !signal.aborted && ((await leaseGroup?.verify(stream)) ?? false),
      quiet: jobs.quiet,
      everyMs: lake.everyMs,
      metrics: counters,
      log,
      signal,
    }).catch(error => {
      if (!(error instanceof Stopped)) log.error({ err: error, stream }, 'the lake is no longer written')
    })
    filling.set(stream, { ended, abort })
  }

  async function end(stream: string): Promise<void> {
    const { ended, abort } = filling.get(stream) ?? {}
    filling.delete(stream)
    abort?.abort()
    await ended
    counters.position.remove({ stream })
  }

  leaseGroup = await joinLeaseGroup({
    nats,
    installation,
    metrics,
    log,
    identity,
    group: 'batch',
    resources: [...sources.keys()],
    onGain: streams => streams.forEach(start),
    onRelease: end,
    onLose: stream => void end(stream),
  })
  const [first = ''] = sources.keys()
  const cleaning = keepLakeClean({
    installation,
    clickhouse,
    dir: lake.dir,
    jobs,
    // The process that keeps the first stream does it for all.
    verify: async () => (leaseGroup?.holds(first) ?? false) && leaseGroup!.verify(first),
    log,
  })
  return {
    async stop() {
      await cleaning.stop()
      jobs.stop()
      await leaseGroup?.stop()
      await Promise.all([...filling.keys()].map(end))
      await clickhouse.close()
    },
  }
}
