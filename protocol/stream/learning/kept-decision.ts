import type { ServedDecision, ServedItem } from './served.js'

/** Decisions that a profile keeps, at most: the oldest leave first, and what comes of them later does not count. */
export const MAX_KEPT_DECISIONS = 100

/** A served decision as the visitor's profile keeps it: what it counts towards caps, and what it has earned. */
export interface KeptDecision extends ServedDecision {
  items: KeptItem[]
}

/** An item of a kept decision. */
export interface KeptItem extends ServedItem {
  /** When it was viewed first, in milliseconds since the epoch. Absent: not yet */
  viewedAt?: number
  /** When it was clicked last, in milliseconds since the epoch. Absent: not yet */
  clickedAt?: number
  /** What it has earned, in units of `REWARD_SCALE`. Absent: policies have not learned of it yet */
  reward?: number
  /** Hashes of what it was rewarded for, so that nothing is counted twice. Absent: nothing yet */
  rewardedFor?: number[]
}
