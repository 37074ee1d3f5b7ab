import type { Site } from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { watchJobs } from '../people/watch-jobs.js'
import { readBuiltIn } from '../profiles/definitions/built-in-edition.js'
import { createSitesDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../profiles/definitions/watch-definitions.js'
import { checkSite } from './check-site.js'
import type { ParityReport } from './report.js'

/** Time that a query over all events of a site may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10 * 60_000

export interface ChecksDeps {
  nats: Nats
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  anonymousDays: number
  log: Log
  signal?: AbortSignal
}

/** Compares a sample of a site's persons. @param salt by which they are drawn; default: the date, UTC */
export type Check = (site: Site, sample: number, salt?: string) => Promise<ParityReport>

/** Opens what comparing takes for as long as `use` runs. */
export async function withChecks<T>(deps: ChecksDeps, use: (check: Check) => Promise<T>): Promise<T> {
  const { nats, installation, anonymousDays, log, signal } = deps
  const { buckets } = installation
  const definitions = createSitesDefinitions(log, await readBuiltIn(buckets.definitions))
  const watching = await watchDefinitions(nats, buckets.definitions, definitions.set, log)
  const jobs = await watchJobs(nats, buckets.jobs, log)
  const clickhouse = openClickHouse(deps.clickhouse, 'parity', { timeoutMs: REQUEST_TIMEOUT_MS })
  const siteDeps = {
    ...{ nats, installation, clickhouse, definitionsOf: definitions.of, anonymousDays, quiet: jobs.quiet },
    ...(signal && { signal }),
  }
  try {
    return await use((site, sample, salt = new Date().toISOString().slice(0, 10)) =>
      checkSite(site, sample, salt, siteDeps),
    )
  } finally {
    jobs.stop()
    watching.stop()
    await clickhouse.close()
  }
}
