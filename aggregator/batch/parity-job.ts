import type { Installation, Log, Metrics, Nats } from '@slotstream/runtime'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { parityMetrics } from '../parity/metrics.js'
import type { FeatureParity, ParityReport } from '../parity/report.js'
import { withChecks } from '../parity/with-checks.js'
import type { NightlyJob } from './nightly.js'
import { readSites } from './read-sites.js'

/** Schedule and size of the nightly comparison of profiles with the tables. */
export interface ParitySettings {
  /** Visitors of each site; 0: none. */
  sample: number
  /** Hour of the day, UTC. */
  hour: number
}

export interface ParityJobDeps {
  nats: Nats
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  parity: ParitySettings
  anonymousDays: number
  metrics: Metrics
  log: Log
}

/**
 * Creates the job that compares a sample of every site's profiles with the rows of `events`, another sample each night.
 */
export function createParityJob(deps: ParityJobDeps): NightlyJob {
  const { parity, log } = deps
  const { buckets } = deps.installation
  const metrics = parityMetrics(deps.metrics)

  async function run(signal: AbortSignal): Promise<void> {
    const begun = performance.now()
    const reports: ParityReport[] = []
    const salt = new Date().toISOString().slice(0, 10)
    await withChecks({ ...deps, signal }, async check => {
      for (const site of await readSites(buckets, log)) {
        const report = await check(site, parity.sample, salt)
        reports.push(report)
        tell(report)
      }
    })
    metrics.note(reports, performance.now() - begun)
  }

  /** Logs the result of a site: numbers and names of features, no person's values. */
  function tell({ site: siteId, compared, different, skipped, why, features }: ParityReport): void {
    if (different === 0) {
      log.info({ siteId, compared, skipped, ...(why && { why }) }, 'profiles are what the rows of events give')
      return
    }
    const faults = features.filter(hasFault)
    log.error(
      { siteId, compared, different, skipped, features: faults },
      'profiles differ from what the rows of events give: see docs/operating.md, "Parity"',
    )
  }

  return {
    name: 'parity',
    hour: parity.hour,
    run: signal =>
      run(signal).catch(error => {
        if (!signal.aborted) metrics.failed()
        throw error
      }),
  }
}

function hasFault({ different, missing, extra }: FeatureParity): boolean {
  return different + missing + extra > 0
}
