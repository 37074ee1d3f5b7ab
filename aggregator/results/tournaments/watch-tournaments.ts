import type { ClickHouseClient } from '@clickhouse/client'
import { afterLook } from '@slotstream/core'
import type { Experiment } from '@slotstream/protocol'
import type { Installation, Log, Metrics } from '@slotstream/runtime'
import { createAuditStore } from '../audits/audit-store.js'
import { lookAtEach } from '../watch/look-at-each.js'
import { readExperiments, type SiteExperiments } from '../watch/stored-experiments.js'
import { createFollowers } from './followers.js'
import { loadedUpTo } from './read-decided.js'
import { createStandingStore } from './standing-store.js'
import { storeSteps, whyHeld } from './store-steps.js'

export interface TournamentDeps {
  installation: Pick<Installation, 'streams'> & {
    buckets: Pick<Installation['buckets'], 'definitions' | 'sites' | 'catalog' | 'positions'>
  }
  clickhouse: ClickHouseClient
  metrics: Metrics
  log: Log
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/**
 * Creates what values the candidates of all tournaments on the running log, drops those that are worse for certain, and
 * tries or promotes the best of those that are better for certain: as a further revision of the experiments, if nothing
 * of them was changed meanwhile, and the slot still has the policy that they were compared with. What is known of
 * candidates is in memory: another process reads the log from its beginning.
 */
export function createTournaments({ installation, clickhouse, metrics, log, now = Date.now }: TournamentDeps) {
  const { buckets, streams } = installation
  const looks = metrics.counter('tournament_looks_total', 'Looks at the candidates of tournaments, by result', [
    'result',
  ])
  const storedSteps = metrics.counter('tournament_steps_total', 'Steps of tournaments that were stored, by kind', [
    'step',
  ])
  const followers = createFollowers(clickhouse, buckets, log)
  const standings = createStandingStore(buckets.positions, log)
  const audits = createAuditStore(buckets.positions, log)

  async function lookAt(
    site: SiteExperiments,
    experiment: Experiment,
    loaded: number,
    abort: AbortSignal,
    isOwner: () => Promise<boolean>,
  ): Promise<number | 'changed' | undefined> {
    const { siteId } = site
    const { id, slot: slotId } = experiment
    const standing = await followers.follow(site, experiment, loaded, abort)
    const after = afterLook(experiment, standing, now())
    const holdReason = after && (await whyHeld(buckets, audits, { siteId, slotId }, standing))
    if (!(await isOwner())) return undefined
    await standings.write(siteId, id, { ...standing, ...(holdReason !== undefined && { held: holdReason }) })
    looks.inc({ result: holdReason === undefined ? (after ? 'certain' : 'undecided') : 'held' })
    if (!after || holdReason !== undefined) return undefined
    const revision = await storeSteps(buckets.definitions, site, id, after)
    if (revision === undefined) return 'changed'
    for (const { arm: candidate, step, reason } of after.steps) {
      storedSteps.inc({ step })
      log.warn({ siteId, slotId, experiment: id, candidate, step, reason, revision }, 'a step of a tournament')
    }
    return revision
  }

  return async function look(abort: AbortSignal, isOwner: () => Promise<boolean>): Promise<void> {
    const all = await readExperiments(buckets.definitions, log)
    const waiting = all.flatMap(({ siteId, experiments }) =>
      experiments.filter(isWaiting).map(({ id }) => ({ siteId, id })),
    )
    followers.keep(waiting)
    const loaded = waiting.length > 0 ? await loadedUpTo(clickhouse, streams.events, now()) : undefined
    if (loaded === undefined) return
    await lookAtEach(
      all,
      {
        ...{ looks, log, isWaiting, failure: 'candidates could not be valued, trying again' },
        lookAt: (site, experiment) => lookAt(site, experiment, loaded, abort, isOwner),
      },
      abort,
    )
  }
}

/** Returns whether candidates are valued: none is tried, and the experiment has not ended. */
function isWaiting({ tournament, stopped }: Experiment): boolean {
  return tournament !== undefined && tournament.arm === undefined && !stopped
}
