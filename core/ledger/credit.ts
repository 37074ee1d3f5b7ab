import type { Earning, KeptDecision, KeptItem } from '@slotstream/protocol'
import { MAX_REWARD, REWARD_SCALE } from '../learning/sums/fixed-point.js'
import { type CompiledReward, rewardsOf } from './rewards.js'
import { isAfter, isWithin, timeAt } from './times.js'

const MAX_FIXED = MAX_REWARD * REWARD_SCALE

/** Whether policies learn of an item: it was viewed, or its slot counts what is served. */
export function isEntered({ countFrom }: KeptDecision, { viewedAt }: KeptItem): boolean {
  return countFrom === 'served' || viewedAt !== undefined
}

/**
 * Returns what each item has earned, in units of `REWARD_SCALE`; items that earned nothing are absent. It follows from what
 * is known alone, not from the order in which it came. Of one item it is within `MAX_REWARD`.
 */
export function creditItems(decisions: readonly KeptDecision[], earnings: readonly Earning[]): Map<KeptItem, number> {
  const learning = decisions.filter(({ isOnlyCounted }) => !isOnlyCounted)
  const byId = new Map(learning.map(decision => [decision.decisionId, decision]))
  const latestFirst = learning.toReversed()
  const slots = [...new Set(learning.map(({ slotId }) => slotId))].map(slotId =>
    latestFirst.filter(decision => decision.slotId === slotId),
  )
  const credited = new Map<KeptItem, number>()
  /** What counted already, of rewards that count once per item. */
  const counted = new Map<KeptItem, Set<number>>()

  function credit(item: KeptItem, reward: CompiledReward, amount: number): void {
    if (reward.isOnce) {
      const rewards = counted.get(item) ?? new Set()
      if (rewards.has(reward.hash)) return
      counted.set(item, rewards.add(reward.hash))
    }
    credited.set(item, (credited.get(item) ?? 0) + amount)
  }

  function creditDecision(decision: KeptDecision | undefined, earning: Earning): void {
    const item = decision && itemOf(decision, earning)
    if (item) for (const [reward, amount] of earnedBy(earning, decision)) credit(item, reward, amount)
  }

  for (const earning of earnings) {
    if (earning.decisionId !== undefined) creditDecision(byId.get(earning.decisionId), earning)
    else
      for (const ofSlot of slots)
        creditDecision(
          ofSlot.find(decision => mayEarn(decision, earning)),
          earning,
        )
  }
  for (const [item, sum] of credited) credited.set(item, Math.max(-MAX_FIXED, Math.min(MAX_FIXED, sum)))
  return credited
}

/** Whether a decision may be credited with what names none: it was viewed before, and has a reward for it. */
function mayEarn(decision: KeptDecision, earning: Earning): boolean {
  const { at } = earning
  if (!isAfter(decision, at)) return false
  const time = timeAt(decision, at)
  return decision.items.some(item => viewOf(decision, item) <= time) && earnedBy(earning, decision).length > 0
}

/** Returns what an earning is worth by the rewards of a decision within whose windows it is. */
function earnedBy({ at, worth }: Earning, decision: KeptDecision): [reward: CompiledReward, amount: number][] {
  const { byHash } = rewardsOf(decision)
  const earned: [CompiledReward, number][] = []
  for (let place = 0; place < worth.length; place += 2) {
    const reward = byHash.get(worth[place]!)
    if (reward && isWithin(decision, reward, at)) earned.push([reward, worth[place + 1]!])
  }
  return earned
}

/** Returns when an item was viewed first; infinity: never. Where views are not reported, it is when it was served. */
function viewOf({ countFrom, at }: KeptDecision, { viewedAt }: KeptItem): number {
  return viewedAt ?? (countFrom === 'served' ? at : Number.POSITIVE_INFINITY)
}

/** Returns the item of a decision that an earning is credited to. */
function itemOf(decision: KeptDecision, { at, decisionId, contentIds }: Earning): KeptItem | undefined {
  const time = timeAt(decision, at)
  const named = contentIds && decision.items.filter(({ contentId }) => contentIds.includes(contentId))
  if (named && named.length > 0) return clickedLast(named, time) ?? named[0]
  if (decisionId === undefined) return clickedLast(decision.items, time) ?? viewedFirst(decision)
  return viewedFirst(decision)
}

function clickedLast(items: readonly KeptItem[], at: number): KeptItem | undefined {
  let last: KeptItem | undefined
  let lastAt = Number.NEGATIVE_INFINITY
  for (const item of items) {
    const clickedAt = item.clicks?.findLast(time => time <= at) ?? Number.NEGATIVE_INFINITY
    if (clickedAt <= lastAt) continue
    last = item
    lastAt = clickedAt
  }
  return last
}

function viewedFirst(decision: KeptDecision): KeptItem | undefined {
  let first: KeptItem | undefined
  for (const item of decision.items)
    if (viewOf(decision, item) < (first ? viewOf(decision, first) : Number.POSITIVE_INFINITY)) first = item
  return first
}
