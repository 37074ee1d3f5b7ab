import type { Installation, Log, Metrics } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { type RedrawReport, redrawSample } from '../records/redraw-sample.js'
import type { NightlyJob } from './nightly.js'
import { readSites } from './read-sites.js'

const DAY_MS = 86_400_000

/** Longest time of a query over a day of a site, in milliseconds. */
const TIMEOUT_MS = 10 * 60_000

/** Schedule and size of the nightly redraw of decisions. */
export interface RedrawSettings {
  /** Decisions of each site; 0: none. */
  sample: number
  /** Hour of the day, UTC. */
  hour: number
}

export interface RedrawJobDeps {
  installation: Installation
  /** A user who may read. */
  clickhouse: ClickHouseServer
  redraw: RedrawSettings
  metrics: Metrics
  log: Log
}

/**
 * Creates the job that draws a sample of yesterday's decisions again, from their records alone.
 *
 * @param now milliseconds since the epoch
 */
export function createRedrawJob(deps: RedrawJobDeps, now: () => number = Date.now): NightlyJob {
  const { installation, redraw, log } = deps
  const decisions = deps.metrics.gauge('decisions_redrawn', 'Decisions of the latest nightly redraw', ['outcome'])
  const runs = deps.metrics.counter('decisions_redraw_runs_total', 'Nightly redraws, by result', ['result'])

  async function run(signal: AbortSignal): Promise<void> {
    const to = Math.floor(now() / DAY_MS) * DAY_MS
    const clickhouse = openClickHouse(deps.clickhouse, 'redraw', { timeoutMs: TIMEOUT_MS })
    const reports: RedrawReport[] = []
    try {
      for (const { siteId } of await readSites(installation.buckets, log)) {
        signal.throwIfAborted()
        const report = await redrawSample(clickhouse, { siteId, from: to - DAY_MS, to, most: redraw.sample }, signal)
        reports.push(report)
        tell(report)
      }
    } finally {
      await clickhouse.close()
    }
    const sum = (countOf: (report: RedrawReport) => number) => reports.reduce((all, report) => all + countOf(report), 0)
    const different = sum(report => report.different)
    decisions.set(
      { outcome: 'same' },
      sum(report => report.same),
    )
    decisions.set({ outcome: 'different' }, different)
    runs.inc({ result: different > 0 ? 'different' : 'same' })
  }

  function tell({ site: siteId, same, different, ids }: RedrawReport): void {
    if (different === 0) log.info({ siteId, same }, "yesterday's decisions are drawn again as they were recorded")
    else
      log.error(
        { siteId, same, different, decisionIds: ids },
        'the records of yesterday\'s decisions draw something else: see docs/operating.md, "Redraw"',
      )
  }

  return {
    name: 'redraw',
    hour: redraw.hour,
    run: signal =>
      run(signal).catch(error => {
        if (!signal.aborted) runs.inc({ result: 'failed' })
        throw error
      }),
  }
}
