import { pause } from '@slotstream/runtime'

/** First and longest pause before learning begins again after a failure, in milliseconds. */
const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/** Time after which a failure is none that follows from the one before, in milliseconds. */
const HEALTHY_MS = 5 * 60_000

/** Says how long to wait before learning begins again. */
export interface Restarts {
  /** Learning begins now. */
  begin(): void
  /**
   * Returns the pause after a failure, in milliseconds: doubled with each that follows soon, as a snapshot may cause
   * all.
   */
  pauseMs(): number
}

/**
 * Creates what counts the failures of learning.
 *
 * @param now the clock, in milliseconds. Default: one that never goes back
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
 * Does something that only ends by a failure, again and again until `signal` fires, with the pauses of
 * `createRestarts`.
 *
 * @param onFailure is called with each error, unless `signal` has fired, and the pause that follows it, in milliseconds
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
