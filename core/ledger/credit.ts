import type { Earning, KeptDecision, KeptItem } from '@slotstream/protocol'
import { MAX_REWARD, REWARD_SCALE } from '../learning/sums/fixed-point.js'
import { clickedLast, type Facts, factsOf } from './facts.js'
import { type CompiledReward, type CompiledRewards, mostOf } from './rewards.js'
import { isWithin, SKEW_MS, timeAt } from './times.js'

const MAX_FIXED = MAX_REWARD * REWARD_SCALE

/** Whether policies learn of an item: it was viewed, or its slot counts what is served. */
export function isEntered({ countFrom }: KeptDecision, { viewedAt }: KeptItem): boolean {
  return countFrom === 'served' || viewedAt !== undefined
}

/** A reward that a message is worth something by, and what. */
type Amount = [reward: CompiledReward, amount: number]

/**
 * Returns what each item has earned, in units of `REWARD_SCALE`; items that earned nothing are absent. It follows from what
 * is known alone, not from the order in which it came. Of one item and reward it is within the bounds of the reward, of one
 * item within `MAX_REWARD`.
 */
export function creditItems(decisions: readonly KeptDecision[], earnings: readonly Earning[]): Map<KeptItem, number> {
  const credited: Credited = new Map()
  if (earnings.length === 0) return new Map()
  const learning = decisions.filter(({ isOnlyCounted }) => !isOnlyCounted).map(factsOf)
  const byId = new Map(learning.map(facts => [facts.decision.decisionId, facts]))
  const slots = viewedBySlot(learning)

  for (const earning of earnings) {
    const { decisionId, contentIds } = earning
    const amountsFor = createAmountsFor(earning)
    const named = contentIds && new Set(contentIds)
    if (decisionId === undefined) {
      for (const latestFirst of slots) {
        const earned = latestThatEarns(latestFirst, earning, amountsFor)
        if (earned) credit(credited, earned.facts, itemOf(earned.facts, earning, named), earned.amounts)
      }
      continue
    }
    const facts = byId.get(decisionId)
    if (!facts) continue
    const amounts = within(facts.decision, earning, amountsFor(facts.rewards))
    if (amounts.length > 0) credit(credited, facts, itemOf(facts, earning, named), amounts)
  }
  return sumsOf(credited)
}

/** What items have earned by each reward, before bounds. */
type Credited = Map<KeptItem, { most: number | undefined; byReward: Map<CompiledReward, number> }>

function credit(credited: Credited, { decision }: Facts, item: KeptItem | undefined, amounts: readonly Amount[]): void {
  if (!item) return
  const { byReward } = credited.get(item) ?? { byReward: new Map<CompiledReward, number>() }
  if (byReward.size === 0) credited.set(item, { most: decision.most, byReward })
  for (const [reward, amount] of amounts) {
    const before = byReward.get(reward)
    if (before === undefined) byReward.set(reward, amount)
    else if (!reward.isOnce) byReward.set(reward, before + amount)
  }
}

function sumsOf(credited: Credited): Map<KeptItem, number> {
  const sums = new Map<KeptItem, number>()
  for (const [item, { most, byReward }] of credited) {
    let sum = 0
    for (const [reward, amount] of byReward) sum += clamp(amount, reward.least, mostOf(reward, most))
    sums.set(item, clamp(sum, -MAX_FIXED, MAX_FIXED))
  }
  return sums
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}

/** Decisions that may be credited with what names none, by slot, the latest first: what was never viewed has earned nothing. */
function viewedBySlot(learning: readonly Facts[]): Facts[][] {
  const slots = new Map<string, Facts[]>()
  for (const facts of learning.toReversed()) {
    if (facts.firstView === Number.POSITIVE_INFINITY) continue
    const { slotId } = facts.decision
    const ofSlot = slots.get(slotId)
    if (ofSlot) ofSlot.push(facts)
    else slots.set(slotId, [facts])
  }
  return [...slots.values()]
}

/** Finds the decision of a slot to which what names none belongs: the latest one viewed before it that has a reward for it. */
function latestThatEarns(
  latestFirst: readonly Facts[],
  earning: Earning,
  amountsFor: (rewards: CompiledRewards) => readonly Amount[],
): { facts: Facts; amounts: readonly Amount[] } | undefined {
  const { at } = earning
  for (const facts of latestFirst) {
    const { decision } = facts
    if (at < decision.at - SKEW_MS || facts.firstView > timeAt(decision, at)) continue
    const amounts = within(decision, earning, amountsFor(facts.rewards))
    if (amounts.length > 0) return { facts, amounts }
  }
  return undefined
}

/** Returns the function that tells what an earning is worth by the rewards of a slot. Decisions of one slot mostly share them. */
function createAmountsFor({ worth }: Earning): (rewards: CompiledRewards) => readonly Amount[] {
  const known = new Map<CompiledRewards, readonly Amount[]>()
  return rewards => {
    const before = known.get(rewards)
    if (before) return before
    const amounts: Amount[] = []
    for (let place = 0; place < worth.length; place += 2) {
      const reward = rewards.byHash.get(worth[place]!)
      if (reward) amounts.push([reward, worth[place + 1]!])
    }
    known.set(rewards, amounts)
    return amounts
  }
}

/** Returns the amounts within whose windows an earning is. */
function within(decision: KeptDecision, { at }: Earning, amounts: readonly Amount[]): readonly Amount[] {
  return amounts.every(([reward]) => isWithin(decision, reward, at))
    ? amounts
    : amounts.filter(([reward]) => isWithin(decision, reward, at))
}

/** Returns the item of a decision that an earning is credited to. */
function itemOf(facts: Facts, { at, decisionId }: Earning, contentIds: ReadonlySet<string> | undefined) {
  const time = timeAt(facts.decision, at)
  const named = contentIds && facts.decision.items.filter(({ contentId }) => contentIds.has(contentId))
  if (named && named.length > 0) return clickedLast(facts, time, new Set(named)) ?? named[0]
  if (decisionId === undefined) return clickedLast(facts, time) ?? facts.viewedFirst
  return facts.viewedFirst
}
