import type { Earning } from '@slotstream/protocol'
import type { Facts } from '../facts.js'
import type { CompiledReward } from '../rewards.js'

/** How often an item has earned a reward, and how much altogether, before bounds. */
export interface CreditedSum {
  times: number
  sum: number
  /** How often by a message with a secret key: a server of the site loses none. */
  secretTimes: number
}

/**
 * What items of the decisions of one slot have earned: what a message adds is added, and what it replaces taken away.
 */
export interface CreditedSlot {
  /** The latest decision first. */
  group: readonly Facts[]
  /** By `placeOf`. */
  items: Map<number, Map<CompiledReward, CreditedSum>>
}

/** By slot. */
export type CreditedSlots = Map<string, CreditedSlot>

/** Visitors of whom credits are remembered, those of the latest messages: each takes some hundred kilobytes at most. */
const MAX_REMEMBERED = 64

/** Changes beyond which all is credited anew. */
const MAX_CHANGES = 20

/** More than a decision has items. */
const ITEMS = 1_000

/** By the earnings that were credited. What was worked out stays with them, and goes with them. */
const remembered = new WeakMap<readonly Earning[], CreditedSlots>()
let latest: WeakRef<readonly Earning[]>[] = []

/** Returns what was credited by these earnings, once: the caller changes it. */
export function recall(earnings: readonly Earning[]): CreditedSlots | undefined {
  const slots = remembered.get(earnings)
  remembered.delete(earnings)
  return slots
}

/** Remembers what was credited by these earnings. */
export function remember(earnings: readonly Earning[], slots: CreditedSlots): void {
  remembered.set(earnings, slots)
  latest = latest.filter(one => one.deref() !== undefined && one.deref() !== earnings)
  latest.push(new WeakRef(earnings))
  if (latest.length <= MAX_REMEMBERED) return
  const oldest = latest.shift()?.deref()
  if (oldest) remembered.delete(oldest)
}

/** Returns what has to be added to earnings and taken from them to get others; undefined: too much. */
export function changesOf(
  before: readonly Earning[],
  after: readonly Earning[],
): [earning: Earning, sign: 1 | -1][] | undefined {
  if (before === after) return []
  const [had, has] = [new Set(before), new Set(after)]
  const changes: [Earning, 1 | -1][] = []
  for (const earning of before) if (!has.has(earning)) changes.push([earning, -1])
  for (const earning of after) if (!had.has(earning)) changes.push([earning, 1])
  return changes.length <= MAX_CHANGES ? changes : undefined
}

/**
 * Whether the decisions of a slot are as they were, as far as crediting reads them: what was told of them does not
 * matter.
 */
export function isSame(before: readonly Facts[], after: readonly Facts[]): boolean {
  return before.length === after.length && after.every((facts, place) => isSameDecision(before[place]!, facts))
}

function isSameDecision(a: Facts, b: Facts): boolean {
  if (a === b) return true
  const [one, other] = [a.decision, b.decision]
  return (
    one.decisionId === other.decisionId &&
    one.at === other.at &&
    a.rewards === b.rewards &&
    one.most === other.most &&
    one.countFrom === other.countFrom &&
    one.items.length === other.items.length &&
    other.items.every((item, place) => {
      const { contentId, viewedAt, clicks } = one.items[place]!
      return item.contentId === contentId && item.viewedAt === viewedAt && item.clicks === clicks
    })
  )
}

/** Returns the place of an item: the number of its decision, and its own. */
export function placeOf(decision: number, item: number): number {
  return decision * ITEMS + item
}

/** Returns the number of the decision of a place. */
export function decisionAt(place: number): number {
  return Math.floor(place / ITEMS)
}

/** Returns the number of the item of a place. */
export function itemAt(place: number): number {
  return place % ITEMS
}
