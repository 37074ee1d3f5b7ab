/** Bounds of the pauses between attempts, in milliseconds. */
export interface RetryBounds {
  retryMs: number
  longestRetryMs: number
  giveUpMs: number
}

/**
 * Returns when a signal is tried again after a failed attempt, in milliseconds since the epoch: the first pause,
 * doubled with each further attempt up to the longest, and shortened by up to a half at random, so that signals that
 * failed together do not come back together. Undefined: it is given up.
 *
 * @param attempts that have failed
 * @param since when the signal was taken from its stream
 * @param now milliseconds since the epoch
 * @param atLeast pause that the webhook asked for, in milliseconds; the longest pause at most
 * @param random a number in [0, 1)
 */
export function nextAttempt(
  { retryMs, longestRetryMs, giveUpMs }: RetryBounds,
  { attempts, since }: { attempts: number; since: number },
  now: number,
  atLeast: number,
  random: number,
): number | undefined {
  if (now - since >= giveUpMs) return undefined
  const pause = Math.min(longestRetryMs, retryMs * 2 ** Math.min(attempts - 1, 40)) * (1 - random / 2)
  const due = now + Math.max(pause, Math.min(atLeast, longestRetryMs))
  // The last attempt is made when the time is over, and not long before.
  return Math.min(due, Math.max(since + giveUpMs, now + retryMs))
}
