import type { ServedDecision, ServedItem } from './served.js'

/** Decisions that a profile keeps, at most: the oldest leave first, and what comes of them later does not count. */
export const MAX_KEPT_DECISIONS = 100

/** A served decision as the visitor's profile keeps it: what it counts towards caps, and what policies know of it. */
export interface KeptDecision extends ServedDecision {
  items: KeptItem[]
}

/** An item of a kept decision. */
export interface KeptItem extends ServedItem {
  /** When it was viewed first, in milliseconds since the epoch. Absent: not yet */
  viewedAt?: number
  /** When it was clicked, in milliseconds since the epoch, in order: the first few times. Absent: not yet */
  clicks?: number[]
  /** Sum that policies know it has earned, in units of `REWARD_SCALE`. Absent: they have not learned of it yet */
  reward?: number
  /** Stratum of losses in which they know that. Absent: 0 */
  stratum?: number
  /** How often they were told again because of its stratum alone. Absent: 0 */
  retells?: number
}

/**
 * Gain from a message by the rewards of decisions that were kept when it came. It is kept apart from them, because a
 * view or click that arrives later, and was earlier, changes which of them it is credited to.
 */
export interface Earning {
  /** Time of the message, in milliseconds since the epoch. */
  at: number
  /** Hash of what counts once: the order, or the message. */
  id: number
  /** The message came with a secret key. Absent: it did not */
  isSecret?: true
  /** The decision that the message names: it belongs to that one and to no other. Absent: it names none */
  decisionId?: string
  /** Content that the message names as content or product, as far as it was served. Absent: none */
  contentIds?: string[]
  /** Hash of a reward, what the message earns by it in units of `REWARD_SCALE`, and so on, by rising hash. */
  worth: number[]
}
