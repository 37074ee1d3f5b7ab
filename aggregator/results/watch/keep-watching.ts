import type { Installation, Log, Metrics, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../../clickhouse/client.js'
import type { Identity } from '../../ownership/join-lease-group.js'
import { keepDoing } from '../../ownership/keep-doing.js'
import { createDrawAudits } from '../audits/audit-draws.js'
import { createTournaments } from '../tournaments/watch-tournaments.js'
import { createStops } from './stop-experiments.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 5 * 60_000

export interface WatchParts {
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
export async function keepWatching(parts: WatchParts): Promise<{ stop(): Promise<void> }> {
  const { installation, experiments, metrics, log } = parts
  const { everyMs } = experiments
  const clickhouse = openClickHouse(parts.clickhouse, 'experiments', { timeoutMs: TIMEOUT_MS })
  const deps = { clickhouse, metrics, log }
  const jobs = [
    { name: 'stops', everyMs, run: createStops({ ...deps, buckets: installation.buckets }) },
    { name: 'tournaments', everyMs, run: createTournaments({ ...deps, installation }) },
    { name: 'draws', everyMs, run: createDrawAudits({ ...deps, installation }) },
  ]
  const doing = await keepDoing(jobs, { ...parts, group: 'experiments' })
  return {
    async stop() {
      await doing.stop()
      await clickhouse.close()
    },
  }
}
