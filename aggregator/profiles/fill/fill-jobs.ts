import { createSlices, type Metrics, pause } from '@slotstream/runtime'
import type { ChangeProfile } from '../apply/applier.js'
import type { LoadedPartition } from '../partition/load-partition.js'
import { FillEnded, type FillPartitionDeps, fillPartition } from './fill-partition.js'
import { createPace } from './pace.js'
import type { WantedFill } from './wanted-fill.js'

/** Time between two attempts to store what was filled, in milliseconds. */
const AGAIN_MS = 50

/** Time that a fill may take of a turn of the event loop, in milliseconds: messages and answers come first. */
const SLICE_MS = 2

/** Names of features in a line of the log, at most. */
const MAX_NAMED = 20

/** A fill of features of some sites in a partition. */
export interface FillJob {
  readonly partition: LoadedPartition
  readonly change: ChangeProfile
  /** Fills by site. */
  readonly fills: ReadonlyMap<string, WantedFill>
  /** True if the job is no longer wanted. */
  hasEnded: boolean
}

export interface FillJobsDeps
  extends Pick<
    FillPartitionDeps,
    'nats' | 'publisher' | 'installation' | 'log' | 'tombstones' | 'anonymousDays' | 'maxBytes' | 'room' | 'isLeftOut'
  > {
  metrics: Metrics
  /** Messages read a second at most; 0: no limit. */
  rate: number
  /** Stores what has changed in a partition. Resolves to whether all went well. */
  flush: (partition: LoadedPartition) => Promise<boolean>
}

/**
 * Creates the function that carries out a job, and stores what it changed.
 *
 * @throws FillEnded once the job does not go on
 */
export function createFillJobs(deps: FillJobsDeps): (job: FillJob, goesOn: () => boolean) => Promise<void> {
  const { log, metrics, rate, flush } = deps
  const messages = metrics.counter('profiles_fill_messages_total', 'Messages read to count the history of features')
  const remaining = metrics.gauge(
    'profiles_fill_remaining',
    'Sequences of the stream that the running fill has to read',
  )
  const seconds = metrics.seconds('profiles_fill_seconds', 'Time that counting the history of a partition took')
  const slice = createSlices(SLICE_MS)

  async function untilStored(partition: LoadedPartition, goesOn: () => boolean): Promise<void> {
    while (goesOn() && !(await flush(partition))) await pause(AGAIN_MS)
    if (!goesOn()) throw new FillEnded('something else is to be filled now, or elsewhere')
  }

  return async ({ partition, change, fills }, goesOn) => {
    const toCount = new Map([...fills].filter(([, fill]) => namesOf(fill).length > 0))
    if (toCount.size === 0) return
    const features = [...toCount].flatMap(([siteId, fill]) => namesOf(fill).map(name => `${siteId}.${name}`))
    const place = { partition: partition.index, sites: toCount.size, features: features.slice(0, MAX_NAMED) }
    log.info(place, 'counting the history of features')
    const done = seconds.startTimer()
    const outcome = await fillPartition(partition, toCount, {
      ...deps,
      change,
      pace: createPace(rate, slice),
      onMessage(left) {
        messages.inc()
        remaining.set(left)
      },
      goesOn,
      async storedThrough(through) {
        while (partition.checkpoint.seq < through) await untilStored(partition, goesOn)
      },
    }).finally(() => remaining.set(0))
    // What is not stored may be lost, and its record would say that it was not.
    await untilStored(partition, goesOn)
    log.info({ ...place, ...outcome, seconds: done() }, 'the history of features is counted')
  }
}

/** Names of the features that came after the revision. */
function namesOf({ features, after }: WantedFill): string[] {
  const ofContent = new Set(features.ofContent.rules.map(([, { feature }]) => feature))
  return [...features.byVersion.values(), ...ofContent].filter(({ addedIn }) => addedIn > after).map(({ name }) => name)
}
