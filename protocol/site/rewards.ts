import type { JsonObject } from '../wire/messages.js'

/** A gain where an event follows a decision of a slot. */
export interface Reward {
  /** Event of a `track` message, or another type of message, as in features. */
  event: string
  /** Condition that the message must meet. Absent: any */
  where?: JsonObject
  /** Worth of the event: a number, or a path in the message such as `properties.revenue`. Default 1, once per item */
  value?: number | string
  /**
   * Least that an item earns by it. Default 0 where `value` is a path, so that messages take nothing away; 8 times
   * `value` where that is negative
   */
  min?: number
  /** Most that an item earns by it. Default 8 times `value`; where that is a path, `ServedDecision.most` */
  max?: number
  /** `secret`: only messages with a secret key count. Default `any` */
  from?: RewardSender
  /**
   * Time after the decision in which the worth of the event halves, a duration such as `24h`; each message counts then.
   * Default: it stays
   */
  halfLife?: string
  /** Hours after the decision within which the event counts. */
  windowHours: number
}

/** Senders whose messages can be a reward. */
export const REWARD_SENDERS = ['any', 'secret'] as const

export type RewardSender = (typeof REWARD_SENDERS)[number]

/** When an item that was served enters what policies learn from: when it is viewed, or at once. */
export type CountFrom = 'viewed' | 'served'

/** Rewards of a slot that names none: a click on an item, within a day. */
export const DEFAULT_REWARDS: readonly Reward[] = [{ event: 'Slot Clicked', windowHours: 24 }]
