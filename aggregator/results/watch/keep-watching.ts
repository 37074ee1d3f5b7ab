import type { Installation, Log, Metrics, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../../clickhouse/client.js'
import type { Identity } from '../../ownership/join-lease-group.js'
import { keepDoing } from '../../ownership/keep-doing.js'
import { createDrawAudits } from '../audits/audit-draws.js'
import { createTournaments } from '../tournaments/watch-tournaments.js'
import { createStops } from './stop-experiments.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 5 * 60_000

export interface WatchDeps {
  nats: Nats
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  /** Time between two looks, in milliseconds. */
  experiments: { everyMs: number }
  metrics: Metrics
  log: Log
  identity: Identity
}

/**
 * Looks at experiments that may stop, values candidates, and audits draws, in one process of several, until it is
 * stopped.
 */
export async function keepWatching(deps: WatchDeps): Promise<{ stop(): Promise<void> }> {
  const { installation, experiments, metrics, log } = deps
  const { everyMs } = experiments
  const clickhouse = openClickHouse(deps.clickhouse, 'experiments', { timeoutMs: TIMEOUT_MS })
  const jobDeps = { clickhouse, metrics, log }
  const jobs = [
    { name: 'stops', everyMs, run: createStops({ ...jobDeps, buckets: installation.buckets }) },
    { name: 'tournaments', everyMs, run: createTournaments({ ...jobDeps, installation }) },
    { name: 'draws', everyMs, run: createDrawAudits({ ...jobDeps, installation }) },
  ]
  const doing = await keepDoing(jobs, { ...deps, group: 'experiments' })
  return {
    async stop() {
      await doing.stop()
      await clickhouse.close()
    },
  }
}
