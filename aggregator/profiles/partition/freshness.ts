import type { Progress } from '../apply/progress.js'

/** The age of the state of a partition's profiles. */
export interface Freshness {
  /** Notes that a message was read behind which the stream had `pending` more of the partition. */
  read(pending: number): void
  /** Notes that a message was applied that was received at a time, in milliseconds since the epoch. */
  applied(receivedAt: number): void
  /** Notes that the stream is not read for now, or is again. */
  setPaused(isPaused: boolean): void
  /**
   * Returns for how long profiles may have lacked messages, in milliseconds; 0 while everything that the stream had is
   * applied.
   */
  ageMs(): number
}

/**
 * Creates the freshness of a partition that has nothing to read.
 *
 * @param now milliseconds since the epoch. Default: the clock
 */
export function createFreshness(progress: Pick<Progress, 'pending'>, now: () => number = Date.now): Freshness {
  let backlog = 0
  let isPaused = false
  /** Everything that was received until then is applied. */
  let upToDateAt = now()
  const isBehind = () => backlog > 0 || isPaused || progress.pending > 0

  function noteUpToDate(): void {
    if (!isBehind()) upToDateAt = now()
  }

  return {
    read(pending) {
      noteUpToDate()
      backlog = pending
    },
    applied(receivedAt) {
      if (receivedAt > upToDateAt) upToDateAt = receivedAt
    },
    setPaused(value) {
      noteUpToDate()
      isPaused = value
    },
    ageMs: () => (isBehind() ? Math.max(0, now() - upToDateAt) : 0),
  }
}
