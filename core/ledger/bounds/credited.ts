import type { Earning } from '@slotstream/protocol'
import type { Facts } from '../facts.js'
import type { CompiledReward } from '../rewards.js'

/** The number of times that an item earned a reward, and the sum, before bounds. */
export interface CreditedSum {
  times: number
  sum: number
  /** How often by a message with a secret key: a server of the site loses none. */
  secretTimes: number
}

/**
 * Earnings of the items of one slot's decisions: a message's earnings are added, and those that it replaces subtracted.
 */
export interface CreditedSlot {
  /** The latest decision first. */
  group: readonly Facts[]
  /** Sums by `placeOf` of the item. */
  items: Map<number, Map<CompiledReward, CreditedSum>>
}

/** Credited sums by slot. */
export type CreditedSlots = Map<string, CreditedSlot>

/** Visitors of whom credits are remembered, those of the latest messages: each takes some hundred kilobytes at most. */
const MAX_REMEMBERED = 64

/** Changes beyond which all is credited anew. */
const MAX_CHANGES = 20

/** More than a decision has items. */
const ITEMS = 1_000

/** Results by the earnings that were credited: they are collected with them. */
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
  latest = latest.filter(reference => reference.deref() !== undefined && reference.deref() !== earnings)
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
 * Returns whether the decisions of a slot are as they were, as far as crediting reads them: what was published of them
 * does not matter.
 */
export function isSame(before: readonly Facts[], after: readonly Facts[]): boolean {
  return before.length === after.length && after.every((facts, place) => isSameDecision(before[place]!, facts))
}

function isSameDecision(a: Facts, b: Facts): boolean {
  if (a === b) return true
  const [decisionA, decisionB] = [a.decision, b.decision]
  return (
    decisionA.decisionId === decisionB.decisionId &&
    decisionA.at === decisionB.at &&
    a.rewards === b.rewards &&
    decisionA.most === decisionB.most &&
    decisionA.countFrom === decisionB.countFrom &&
    decisionA.items.length === decisionB.items.length &&
    decisionB.items.every((item, place) => {
      const { contentId, viewedAt, clicks } = decisionA.items[place]!
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
