import type { ClickHouseClient } from '@clickhouse/client'
import { endOf, resultsOf } from '@slotstream/core'
import { armsInPlay, type Experiment, type StoppedExperiment } from '@slotstream/protocol'
import type { Installation, Log, Metrics } from '@slotstream/runtime'
import { countArms } from '../count-arms.js'
import { includesBots } from '../includes-bots.js'
import { firstDecision } from './first-decision.js'
import { lookAtEach } from './look-at-each.js'
import { readExperiments, type SiteExperiments, storeChange } from './stored-experiments.js'

export interface StopDeps {
  buckets: Pick<Installation['buckets'], 'definitions' | 'sites'>
  clickhouse: ClickHouseClient
  metrics: Metrics
  log: Log
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/**
 * Creates what looks at all experiments that have rules to stop, by the same results that are shown, and ends those for
 * which a rule says so. Intervals hold at every look, so it may look as often as it likes. All decisions of an
 * experiment are counted.
 */
export function createStops({ buckets, clickhouse, metrics, log, now = Date.now }: StopDeps) {
  const looks = metrics.counter('experiment_looks_total', 'Looks at experiments that may stop, by result', ['result'])
  const ended = metrics.counter('experiments_stopped_total', 'Experiments that were stopped, by reason', ['reason'])

  async function judge(siteId: string, whole: Experiment): Promise<StoppedExperiment | undefined> {
    const experiment = { ...whole, arms: armsInPlay(whole) }
    const { id, slot: slotId } = experiment
    const from = await firstDecision(clickhouse, { siteId, slotId, experiment: id })
    if (from === undefined) return undefined
    const at = now()
    const request = { siteId, slotId, from, to: new Date(at).toISOString(), experiment }
    const areBotsIncluded = await includesBots(buckets.sites, siteId, log)
    const { counted } = await countArms(clickhouse, request, undefined, areBotsIncluded)
    return endOf(experiment, resultsOf(experiment, counted), at)
  }

  async function lookAt(
    site: SiteExperiments,
    experiment: Experiment,
    isOwner: () => Promise<boolean>,
  ): Promise<number | 'changed' | undefined> {
    const { siteId } = site
    const { id, slot: slotId } = experiment
    const end = await judge(siteId, experiment)
    looks.inc({ result: end ? 'stopped' : 'runs' })
    if (!end || !(await isOwner())) return undefined
    const revision = await storeChange(buckets.definitions, site, id, () => ({ stopped: end }))
    if (revision === undefined) return 'changed'
    const { reason, arm, verdict } = end
    ended.inc({ reason })
    log.warn({ siteId, slotId, experiment: id, reason, arm, verdict, revision }, 'stopped an experiment')
    return revision
  }

  return async function look(abort: AbortSignal, isOwner: () => Promise<boolean>): Promise<void> {
    await lookAtEach(
      await readExperiments(buckets.definitions, log),
      {
        ...{ looks, log, isWaiting: mayStop, failure: 'an experiment could not be looked at, trying again' },
        lookAt: (site, experiment) => lookAt(site, experiment, isOwner),
      },
      abort,
    )
  }
}

function mayStop(experiment: Experiment): boolean {
  const { stop, stopped } = experiment
  return stop !== undefined && stop.apply !== 'tell' && !stopped && armsInPlay(experiment).length > 0
}
