import type { KeptDecision } from '@slotstream/protocol'
import type { CompiledReward } from './rewards.js'
import { rewardsOf } from './rewards.js'

/** A message at most this long before its decision counts as at it, in milliseconds: clocks differ. */
export const SKEW_MS = 5_000

const DAY_MS = 24 * 3_600_000

/** The longest window of caps, see `CAP_WINDOWS`. */
const CAPS_MS = 7 * DAY_MS

/** Time after the end of its windows for which a decision is kept, for messages that arrive late, in milliseconds. */
export const LATE_MS = 7 * DAY_MS

/** Time after the end of its windows for which the features of a decision are kept, in milliseconds. */
export const FEATURES_LATE_MS = DAY_MS

/** Returns the day of a time, since 1970 in UTC. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}

/** Returns whether a message of time `at` is from after a decision. */
export function isAfter(decision: Pick<KeptDecision, 'at'>, at: number): boolean {
  return at >= decision.at - SKEW_MS
}

/** Returns whether a message of time `at` is within the window of a reward of a decision. */
export function isWithin(decision: Pick<KeptDecision, 'at'>, { windowMs }: CompiledReward, at: number): boolean {
  return isAfter(decision, at) && at <= decision.at + windowMs
}

/** Returns the time of a message as a decision sees it: not before it. */
export function timeAt(decision: Pick<KeptDecision, 'at'>, at: number): number {
  return Math.max(decision.at, at)
}

/** Returns when the last window of a decision ends, in milliseconds since the epoch. */
export function endOfWindows(decision: KeptDecision): number {
  return decision.at + (decision.isOnlyCounted ? 0 : rewardsOf(decision).longestMs)
}

/** Returns whether a decision can no longer earn anything at `now`, the time of receipt. */
export function isOver(decision: KeptDecision, now: number): boolean {
  return now > Math.max(decision.at + CAPS_MS, endOfWindows(decision) + LATE_MS)
}
