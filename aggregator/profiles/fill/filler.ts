import type { Features } from '@slotstream/core'
import type { ForgetRequest } from '@slotstream/protocol'
import { type Metrics, pause } from '@slotstream/runtime'
import type { ChangeProfile } from '../apply/applier.js'
import type { LoadedPartition } from '../partition/load-partition.js'
import { createFillJobs, type FillJob, type FillJobsDeps } from './fill-jobs.js'
import { FillEnded } from './fill-partition.js'
import type { FillRecords } from './fill-records.js'

/** Time between two looks at whether a partition is up to date, in milliseconds. */
const LOOK_MS = 50

/** Pause after a fill that failed, in milliseconds. */
const AGAIN_MS = 1_000

/** A partition that is up to date, with what changes its profiles. */
export interface FillablePartition {
  partition: LoadedPartition
  change: ChangeProfile
}

export interface FillerDeps extends FillJobsDeps {
  metrics: Metrics
  generation: number
  records: FillRecords
  /** Returns a site's features, and the sites that declare something. */
  featuresOf: (siteId: string) => Features
  siteIds: () => string[]
  /** Returns a partition that is up to date and held; undefined where it is not, or not yet. */
  partition: (index: number) => FillablePartition | undefined
  /** Returns whether there is a worker for a partition. */
  hasPartition: (index: number) => boolean
  partitions: () => number[]
}

/** Counts the history of features that were declared after profiles began, one partition after the other. */
export interface Filler {
  /** Begins with a partition whose worker starts. */
  start(index: number): void
  /** Ends what is under way for a partition whose worker ends. */
  end(index: number): void
  /** Takes up a site's features that were changed, from those of a revision on. */
  featuresChanged(siteId: string, formerRevision: number): void
  /**
   * Begins again with a site's features in a partition: a profile was put back to a state that may lack their history.
   */
  again(index: number, siteId: string): void
  /** Begins again where persons are deleted whose history may be counted now. */
  forget(index: number, request: Pick<ForgetRequest, 'siteId'>): void
  stop(): Promise<void>
}

/** Starts to fill what is wanted, until it is stopped. */
export function startFiller(deps: FillerDeps): Filler {
  const { log, metrics, generation, records, featuresOf, siteIds } = deps
  const waiting = metrics.gauge(
    'profiles_fill_partitions',
    'Partitions in which the history of features is not counted',
  )
  const runJob = createFillJobs(deps)
  /** Revision whose features have their history, by partition and site. */
  const queued = new Map<number, Map<string, number>>()
  let running: FillJob | undefined
  let isStopped = false
  let wake = () => {}
  const working = work()

  function want(index: number, siteId: string, after: number): void {
    if (featuresOf(siteId).revision === 0) return
    const sites = queued.get(index) ?? new Map<string, number>()
    sites.set(siteId, Math.min(after, sites.get(siteId) ?? after))
    queued.set(index, sites)
    // Other sites' changes wait: else a long fill would never end.
    if (running?.partition.index === index && running.fills.has(siteId)) running.hasEnded = true
    wake()
  }

  async function work(): Promise<void> {
    while (!isStopped) {
      waiting.set(queued.size)
      const next = [...queued.keys()].find(index => deps.partition(index))
      if (next !== undefined) await run(next, deps.partition(next)!)
      else if (queued.size > 0) await pause(LOOK_MS)
      else
        await new Promise<void>(resolve => {
          wake = resolve
        })
    }
  }

  async function run(index: number, { partition, change }: FillablePartition): Promise<void> {
    const sites = queued.get(index)!
    queued.delete(index)
    const job: FillJob = {
      partition,
      change,
      fills: new Map([...sites].map(([siteId, after]) => [siteId, { features: featuresOf(siteId), after }])),
      hasEnded: false,
    }
    running = job
    try {
      await runJob(job, () => !isStopped && !job.hasEnded && deps.partition(index)?.partition === partition)
      for (const [siteId, { features }] of job.fills) await records.write(generation, index, siteId, features.revision)
    } catch (error) {
      running = undefined
      if (deps.hasPartition(index)) for (const [siteId, after] of sites) want(index, siteId, after)
      if (error instanceof FillEnded || isStopped || job.hasEnded) return
      log.warn({ err: error, partition: index }, 'the history of features could not be counted, trying again')
      await pause(AGAIN_MS)
    }
    running = undefined
  }

  return {
    start(index) {
      for (const siteId of siteIds()) {
        const filled = records.of(generation, index, siteId)
        if (featuresOf(siteId).revision > filled) want(index, siteId, filled)
      }
    },
    end(index) {
      queued.delete(index)
      if (running?.partition.index === index) running.hasEnded = true
    },
    featuresChanged(siteId, formerRevision) {
      if (featuresOf(siteId).revision === formerRevision) return
      // Until now the partitions counted messages without the new ones, whatever another owner did before.
      for (const index of deps.partitions())
        want(index, siteId, Math.min(formerRevision, records.of(generation, index, siteId)))
    },
    again: (index, siteId) => want(index, siteId, 0),
    forget(index, { siteId }) {
      if (running?.partition.index === index && running.fills.has(siteId)) running.hasEnded = true
    },
    stop() {
      isStopped = true
      wake()
      return working
    },
  }
}
