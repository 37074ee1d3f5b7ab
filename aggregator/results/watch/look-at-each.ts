import type { Experiment } from '@slotstream/protocol'
import type { Log, Metrics } from '@slotstream/runtime'
import type { SiteExperiments } from './stored-experiments.js'

/** The experiments to look at, and the action of a look. */
export interface EachLook {
  isWaiting(experiment: Experiment): boolean
  /**
   * Looks at one of a site's experiments, and stores what follows from it.
   *
   * @returns the new revision of the site's experiments; undefined: nothing was stored; `changed`: they were changed
   * meanwhile
   */
  lookAt(site: SiteExperiments, experiment: Experiment): Promise<number | 'changed' | undefined>
  /** Counts looks by their `result`. */
  looks: ReturnType<Metrics['counter']>
  log: Log
  /** Text of the log for a look that fails. */
  failure: string
}

/**
 * Looks at the experiments of all sites, one after the other. One that cannot be looked at is logged, and no reason to
 * leave out others. Of a site whose experiments were changed meanwhile, the next time looks at what is there then.
 */
export async function lookAtEach(
  sites: readonly SiteExperiments[],
  { isWaiting, lookAt, looks, log, failure }: EachLook,
  abort: AbortSignal,
): Promise<void> {
  for (const site of sites) {
    let { revision } = site
    for (const experiment of site.experiments.filter(isWaiting)) {
      abort.throwIfAborted()
      try {
        const stored = await lookAt({ ...site, revision }, experiment)
        if (stored === 'changed') break
        revision = stored ?? revision
      } catch (error) {
        if (abort.aborted) throw error
        looks.inc({ result: 'failed' })
        log.warn({ err: error, siteId: site.siteId, slotId: experiment.slot, experiment: experiment.id }, failure)
      }
    }
  }
}
