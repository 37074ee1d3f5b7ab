import { isoTime, type Profile } from '@slotstream/protocol'
import { type Log, type Metrics, type Publisher, pause } from '@slotstream/runtime'
import type { LoadedPartition } from '../partition/load-partition.js'
import { publishToVisitor } from '../publish-to-visitor.js'

/** Time between two looks at what is due, in milliseconds. */
const LOOK_MS = 250

/** Maximum of timers of a partition per look: messages of other visitors must not wait behind them for long. */
const MOST_AT_ONCE = 500

/**
 * Creates the function that publishes a due timer to the stream of events. The message takes its place among the
 * visitor's own, so that every replay ends an absence where it was ended before, however late messages arrive.
 *
 * @param partitions of the installation
 */
export function createTellTimer(publisher: Pick<Publisher, 'publish'>, partitions: number) {
  return async ({ siteId, visitorId, anonymousId, userId }: Profile, due: number, now: number): Promise<void> => {
    const timer = { at: due, anonymousId, userId }
    const notice = { siteId, visitorId, receivedAt: isoTime(now), timer }
    await publishToVisitor(publisher, partitions, notice, 'timer', [visitorId, String(due)])
  }
}

export interface FiringDeps {
  /** Returns the partitions that this process holds and that are up to date. */
  partitions: () => LoadedPartition[]
  metrics: Metrics
  log: Log
  /** Milliseconds since the epoch. Default: the clock */
  now?: () => number
}

/** Fires what is due, four times a second, until it is stopped. */
export function startFiring({ partitions, metrics, log, now = Date.now }: FiringDeps): { stop(): Promise<void> } {
  const fired = metrics.counter('profiles_timers_fired_total', 'Visitors for whom a time came without a message')
  const waiting = metrics.gauge('profiles_timers', 'Visitors for whom something is due without a message')
  let isStopped = false
  const firing = run()

  async function run(): Promise<void> {
    while (!isStopped) {
      await pause(LOOK_MS)
      for (const { index, timers } of partitions())
        await timers
          .fire(now(), MOST_AT_ONCE)
          .then(count => fired.inc(count))
          .catch(error => log.warn({ err: error, partition: index }, 'timers could not be fired, trying again'))
      waiting.set(partitions().reduce((sum, { timers }) => sum + timers.size, 0))
    }
  }

  return {
    stop() {
      isStopped = true
      return firing
    },
  }
}
