import { pause } from '@slotstream/runtime'

/** First and longest pause before learning begins again after a failure, in milliseconds. */
const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/** Time after which a failure is considered independent of the previous one, in milliseconds. */
const HEALTHY_MS = 5 * 60_000

/** Pauses before learning begins again after failures. */
export interface Restarts {
  /** Notes that learning begins. */
  begin(): void
  /**
   * Returns the pause after a failure, in milliseconds. It doubles with each failure that follows soon: all may have
   * the same cause, such as the snapshot.
   */
  pauseMs(): number
}

/**
 * Creates the pauses.
 *
 * @param now returns the time in milliseconds. Default: a monotonic clock
 */
export function createRestarts(now: () => number = () => performance.now()): Restarts {
  let begunAt = now()
  let failures = 0
  return {
    begin() {
      begunAt = now()
    },
    pauseMs() {
      if (now() - begunAt >= HEALTHY_MS) failures = 0
      return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures++, 10))
    },
  }
}

/**
 * Runs an action that ends only by failing, again and again until `signal` is aborted, with the pauses of
 * `createRestarts`.
 *
 * @param onFailure is called with each error and the pause that follows, in milliseconds; not after `signal` is aborted
 */
export async function keepRunning(
  action: () => Promise<void>,
  signal: AbortSignal,
  onFailure: (error: unknown, waitMs: number) => void,
): Promise<void> {
  const restarts = createRestarts()
  while (!signal.aborted) {
    restarts.begin()
    try {
      await action()
    } catch (error) {
      if (signal.aborted) return
      const waitMs = restarts.pauseMs()
      onFailure(error, waitMs)
      await pause(waitMs, signal).catch(() => {})
    }
  }
}
