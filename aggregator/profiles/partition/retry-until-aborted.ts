import { type Log, pause } from '@slotstream/runtime'

/** Pause after a failure, in milliseconds. */
const RETRY_MS = 250

/** Repeats something until it succeeds, or throws when a partition is given up. */
export type Retry = <T>(work: () => Promise<T>) => Promise<T>

/** Creates the `Retry` of a partition, which logs each failure. */
export function createRetry(partition: number, log: Log, abort: AbortSignal): Retry {
  return work =>
    retryUntilAborted(work, abort, error =>
      log.warn({ err: error, partition }, 'reading a partition failed, trying again'),
    )
}

/**
 * Repeats something until it succeeds.
 *
 * @param onFailure called with each failure that is followed by another attempt
 * @throws what `work` throws, once `abort` is signalled
 */
export async function retryUntilAborted<T>(
  work: () => Promise<T>,
  abort: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (abort.aborted) throw error
      onFailure(error)
      await pause(RETRY_MS)
    }
  }
}
