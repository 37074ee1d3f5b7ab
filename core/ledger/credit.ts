import type { Earning, KeptDecision, KeptItem } from '@slotstream/protocol'
import { MAX_REWARD, REWARD_SCALE } from '../learning/sums/fixed-point.js'
import {
  type CreditedSlot,
  type CreditedSlots,
  type CreditedSum,
  changesOf,
  decisionAt,
  isSame,
  itemAt,
  placeOf,
  recall,
  remember,
} from './bounds/credited.js'
import { clickedLast, type Facts, factsOf } from './facts.js'
import { type CompiledReward, type CompiledRewards, mostOf } from './rewards.js'
import { isWithin, SKEW_MS, timeAt } from './times.js'

const MAX_FIXED = MAX_REWARD * REWARD_SCALE

/** Returns whether policies learn of an item: it was viewed, or its slot counts what is served. */
export function isEntered({ countFrom }: KeptDecision, { viewedAt }: KeptItem): boolean {
  return countFrom === 'served' || viewedAt !== undefined
}

/** Reward that an item has earned. */
export interface Credit {
  /** In units of `REWARD_SCALE`. */
  reward: number
  /** Whether a part of it came from a server of the site, with a secret key. */
  isSecret: boolean
}

/** A reward that a message is worth something by, and what. */
type Amount = [reward: CompiledReward, amount: number]

/**
 * Returns what each item has earned; items that earned nothing are absent. It follows from what is known alone, not
 * from the order in which it came. Of one item and reward it is within the bounds of the reward, of one item within
 * `MAX_REWARD`.
 *
 * @param before earnings of the call before, by which what has not changed since is found again. Default: all is
 * credited anew
 */
export function creditItems(
  decisions: readonly KeptDecision[],
  earnings: readonly Earning[],
  before?: readonly Earning[],
): Map<KeptItem, Credit> {
  const sums = new Map<KeptItem, Credit>()
  if (earnings.length === 0) return sums
  const recalled = before && recall(before)
  const changes = before && recalled && changesOf(before, earnings)
  const next: CreditedSlots = new Map()
  for (const [slotId, group] of groupsOf(decisions)) {
    const slot = recalled?.get(slotId)
    if (slot && changes && isSame(slot.group, group)) {
      slot.group = group
      for (const [earning, sign] of changes) take(slot, earning, sign)
      next.set(slotId, slot)
    } else {
      const anew: CreditedSlot = { group, items: new Map() }
      for (const earning of earnings) take(anew, earning, 1)
      next.set(slotId, anew)
    }
    addSums(sums, next.get(slotId)!)
  }
  remember(earnings, next)
  return sums
}

/** Returns the decisions that may earn something, by slot, the latest first. */
function groupsOf(decisions: readonly KeptDecision[]): Map<string, Facts[]> {
  const groups = new Map<string, Facts[]>()
  for (const decision of decisions.toReversed()) {
    if (decision.isOnlyCounted) continue
    const group = groups.get(decision.slotId)
    if (group) group.push(factsOf(decision))
    else groups.set(decision.slotId, [factsOf(decision)])
  }
  return groups
}

/** Credits one earning to the decision of a slot that it belongs to, if any, or takes that back. */
function take({ group, items }: CreditedSlot, earning: Earning, sign: 1 | -1): void {
  const amountsFor = createAmountsFor(earning)
  const earned = latestThatEarns(group, earning, amountsFor)
  const item = earned && itemOf(earned.facts, earning)
  if (!item) return
  const place = placeOf(group.indexOf(earned.facts), earned.facts.decision.items.indexOf(item))
  const byReward = items.get(place) ?? new Map<CompiledReward, CreditedSum>()
  if (byReward.size === 0) items.set(place, byReward)
  const age = timeAt(earned.facts.decision, earning.at) - earned.facts.decision.at
  for (const [reward, amount] of earned.amounts) {
    const worth = decayed(amount, age, reward)
    const { times, sum, secretTimes } = byReward.get(reward) ?? NO_CREDIT
    const secret = earning.isSecret ? sign : 0
    byReward.set(reward, { times: times + sign, sum: sum + sign * worth, secretTimes: secretTimes + secret })
  }
}

const NO_CREDIT: CreditedSum = { times: 0, sum: 0, secretTimes: 0 }

/** Returns what is left of an amount after a time, rounded once, so that what is added is what is taken back. */
function decayed(amount: number, ageMs: number, { halfLifeMs }: CompiledReward): number {
  return Math.round(amount * 2 ** (-ageMs / halfLifeMs))
}

function addSums(sums: Map<KeptItem, Credit>, { group, items }: CreditedSlot): void {
  for (const [place, byReward] of items) {
    const { decision } = group[decisionAt(place)]!
    let all = 0
    let isEarned = false
    let isSecret = false
    for (const [reward, { times, sum, secretTimes }] of byReward) {
      if (times === 0) continue
      isEarned = true
      isSecret ||= secretTimes > 0
      all += clamp(reward.isOnce ? sum / times : sum, reward.least, mostOf(reward, decision.most))
    }
    if (!isEarned) continue
    sums.set(decision.items[itemAt(place)]!, { reward: clamp(all, -MAX_FIXED, MAX_FIXED), isSecret })
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}

/**
 * Finds the decision of a slot to which an earning belongs: the one that it names, else the latest one viewed before it
 * that has a reward for it.
 */
function latestThatEarns(
  latestFirst: readonly Facts[],
  earning: Earning,
  amountsFor: (rewards: CompiledRewards) => readonly Amount[],
): { facts: Facts; amounts: readonly Amount[] } | undefined {
  const { at, decisionId } = earning
  for (const facts of latestFirst) {
    const { decision } = facts
    if (decisionId !== undefined) {
      if (decision.decisionId !== decisionId) continue
    } else if (at < decision.at - SKEW_MS || facts.firstView > timeAt(decision, at)) continue
    const amounts = within(decision, earning, amountsFor(facts.rewards))
    if (amounts.length > 0) return { facts, amounts }
  }
  return undefined
}

/**
 * Returns the function that tells what an earning is worth by the rewards of a slot. Decisions of one slot mostly share
 * them.
 */
function createAmountsFor({ worth }: Earning): (rewards: CompiledRewards) => readonly Amount[] {
  const amountsByRewards = new Map<CompiledRewards, readonly Amount[]>()
  return rewards => {
    const before = amountsByRewards.get(rewards)
    if (before) return before
    const amounts: Amount[] = []
    for (let place = 0; place < worth.length; place += 2) {
      const reward = rewards.byHash.get(worth[place]!)
      if (reward) amounts.push([reward, worth[place + 1]!])
    }
    amountsByRewards.set(rewards, amounts)
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
function itemOf(facts: Facts, { at, decisionId, contentIds }: Earning): KeptItem | undefined {
  const time = timeAt(facts.decision, at)
  const named = contentIds && facts.decision.items.filter(({ contentId }) => contentIds.includes(contentId))
  if (named && named.length > 0) return clickedLast(facts, time, new Set(named)) ?? named[0]
  if (decisionId === undefined) return clickedLast(facts, time) ?? facts.viewedFirst
  return facts.viewedFirst
}
