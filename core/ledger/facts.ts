import type { KeptDecision, KeptItem } from '@slotstream/protocol'
import { type CompiledRewards, rewardsOf } from './rewards.js'

/**
 * Facts of a kept decision that crediting reads for each message: computed once for each state of it, because a visitor
 * can send any number of messages, each of which is credited anew.
 */
export interface Facts {
  decision: KeptDecision
  rewards: CompiledRewards
  /** Time when an item was viewed first, in milliseconds since the epoch; infinity: never. */
  firstView: number
  /** That item. Undefined: none */
  viewedFirst: KeptItem | undefined
  /** Clicks by time; of the same time, that on the first item last. */
  clicks: readonly (readonly [at: number, item: KeptItem])[]
}

const factsByDecision = new WeakMap<KeptDecision, Facts>()

/** Returns what crediting reads of a decision. */
export function factsOf(decision: KeptDecision): Facts {
  const before = factsByDecision.get(decision)
  if (before) return before
  let viewedFirst: KeptItem | undefined
  let firstView = Number.POSITIVE_INFINITY
  const clicks: [number, KeptItem][] = []
  for (const item of decision.items) {
    const viewedAt = viewOf(decision, item)
    if (viewedAt < firstView) {
      viewedFirst = item
      firstView = viewedAt
    }
    for (const at of item.clicks ?? []) clicks.unshift([at, item])
  }
  clicks.sort(([a], [b]) => a - b)
  const facts: Facts = { decision, rewards: rewardsOf(decision), firstView, viewedFirst, clicks }
  factsByDecision.set(decision, facts)
  return facts
}

/** Returns the item that was clicked last up to a time, among some; undefined: none was. */
export function clickedLast({ clicks }: Facts, at: number, among?: ReadonlySet<KeptItem>): KeptItem | undefined {
  let low = 0
  let high = clicks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (clicks[middle]![0] <= at) low = middle + 1
    else high = middle
  }
  for (let place = low - 1; place >= 0; place--) {
    const item = clicks[place]![1]
    if (!among || among.has(item)) return item
  }
  return undefined
}

/**
 * Returns when an item was viewed first; infinity: never. Where views are not reported, it is when it was served, also
 * if one is: it must not take away what an order before it was credited with.
 */
function viewOf({ countFrom, at }: KeptDecision, { viewedAt = Number.POSITIVE_INFINITY }: KeptItem): number {
  return countFrom === 'served' ? at : viewedAt
}
