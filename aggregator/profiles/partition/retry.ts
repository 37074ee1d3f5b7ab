import { type Log, retryUntilAborted } from '@slotstream/runtime'

/** Repeats something until it succeeds, or throws when a partition is given up. */
export type Retry = <T>(work: () => Promise<T>) => Promise<T>

/** Creates the `Retry` of a partition, which logs each failure. */
export function createRetry(partition: number, log: Log, abort: AbortSignal): Retry {
  return work =>
    retryUntilAborted(work, abort, error =>
      log.warn({ err: error, partition }, 'reading a partition failed, trying again'),
    )
}
