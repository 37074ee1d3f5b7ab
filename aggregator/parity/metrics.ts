import type { Metrics } from '@slotstream/runtime'
import { OUTCOMES } from './compare-values.js'
import type { ParityReport } from './report.js'

/** Creates the metrics of the nightly comparison: the results of the latest one, over all sites. */
export function parityMetrics(metrics: Metrics) {
  const visitors = metrics.gauge('profile_parity_visitors', 'Visitors of the latest parity report', ['outcome'])
  const values = metrics.gauge('profile_parity_values', 'Values of features of the latest parity report', ['outcome'])
  const maxError = metrics.gauge('profile_parity_max_error', 'Greatest error of the latest parity report')
  const runs = metrics.counter('profile_parity_runs_total', 'Parity reports made, by result', ['result'])
  const seconds = metrics.gauge('profile_parity_seconds', 'Time that the latest parity report took')
  return {
    /** Notes a night without a result: it is tried again. */
    failed: () => runs.inc({ result: 'failed' }),
    /** Notes the reports of all sites, and how long they took, in milliseconds. */
    note(reports: readonly ParityReport[], ms: number) {
      const sum = (countOf: (report: ParityReport) => number) =>
        reports.reduce((all, report) => all + countOf(report), 0)
      const different = sum(report => report.different)
      const compared = sum(report => report.compared)
      visitors.set({ outcome: 'match' }, compared - different)
      visitors.set({ outcome: 'mismatch' }, different)
      visitors.set(
        { outcome: 'skipped' },
        sum(report => report.sampled - report.compared),
      )
      for (const outcome of OUTCOMES) {
        const ofReport = ({ features }: ParityReport) => features.reduce((all, feature) => all + feature[outcome], 0)
        values.set({ outcome }, sum(ofReport))
      }
      maxError.set(Math.max(0, ...reports.flatMap(({ features }) => features.map(each => each.maxError))))
      runs.inc({ result: different > 0 ? 'mismatch' : 'match' })
      seconds.set(ms / 1000)
    },
  }
}
