import { type Attribution, DEFAULT_ATTRIBUTION, type DecisionRecord } from '@slotstream/protocol'
import type { Shop, ShopEvent } from './shop.js'
import { byTime, millionths, provenUser, type TrueOrder, trueOrders } from './true-orders.js'

/** What came of one content that a decision showed. */
export interface TrueReward {
  decision: DecisionRecord
  content_id: string
  viewed_at: string | null
  clicked_at: string | null
  /** Orders and revenue, in millionths, revenue by currency. */
  orders: number
  revenue: Map<string, number>
}

/** A click on a slot, in the order of time. */
interface Click {
  at: number
  event: ShopEvent
  attribution: Attribution
  reward: TrueReward
}

/** Computes what came of every decision of a shop, by decision and content. */
export function trueRewards(shop: Shop): Map<string, TrueReward> {
  const rewards = new Map<string, TrueReward>()
  for (const decision of shop.decisions)
    for (const content_id of decision.contentIds.length > 0 ? decision.contentIds : [''])
      rewards.set(rewardKey(decision.decisionId, content_id), {
        decision,
        content_id,
        viewed_at: null,
        clicked_at: null,
        orders: 0,
        revenue: new Map(),
      })
  const clicks: Click[] = []
  for (const event of byTime(shop.events)) {
    const { decisionId, contentId = '' } = event.message.properties ?? {}
    const reward = rewards.get(rewardKey(String(decisionId), String(contentId)))
    if (event.message.event === 'Slot Viewed') reward!.viewed_at ??= event.message.timestamp
    if (event.message.event !== 'Slot Clicked') continue
    reward!.clicked_at ??= event.message.timestamp
    const attribution = reward!.decision.attribution ?? DEFAULT_ATTRIBUTION
    clicks.push({ at: Date.parse(event.message.timestamp), event, attribution, reward: reward! })
  }
  const browsers = browsersOfUsers(shop)
  for (const order of trueOrders(shop)) credit(order, clicks, browsers)
  return rewards
}

export const rewardKey = (decisionId: string, contentId: string) => `${decisionId} ${contentId}`

/** Which browsers named which user in an order, a click, or when they identified themselves. */
function browsersOfUsers({ events }: Shop): Map<string, Set<string>> {
  const browsers = new Map<string, Set<string>>()
  for (const event of events) {
    const { type, event: name = '', anonymousId = '' } = event.message
    const user = provenUser(event)
    const counts = type === 'identify' || ['Order Completed', 'Order Refunded', 'Slot Clicked'].includes(name)
    if (user && anonymousId && counts) browsers.set(user, (browsers.get(user) ?? new Set()).add(anonymousId))
  }
  return browsers
}

function credit(order: TrueOrder, clicks: Click[], browsers: Map<string, Set<string>>): void {
  const at = Date.parse(order.timestamp)
  const eligible = clicks.filter(click => {
    const user = provenUser(click.event)
    const browser = click.event.message.anonymousId ?? ''
    if (user && order.user_id && user !== order.user_id) return false
    const isTheirs =
      (browser !== '' && browser === order.anonymous_id) ||
      (order.user_id !== '' && (user === order.user_id || browsers.get(order.user_id)?.has(browser)))
    return isTheirs && click.at <= at && at < click.at + click.attribution.windowHours * 3_600_000
  })
  const chosen = chosenOf(eligible)
  for (const [place, reward] of chosen.entries()) {
    reward.orders += shareOf(1e6, chosen.length, place)
    if (order.revenue === null) continue
    const share = shareOf(millionths(order.revenue), chosen.length, place)
    reward.revenue.set(order.currency, (reward.revenue.get(order.currency) ?? 0) + share)
  }
}

/** What is credited of the clicks, the one that was clicked last first. */
function chosenOf(eligible: Click[]): TrueReward[] {
  const last = eligible.at(-1)
  if (!last) return []
  const { rule } = last.attribution
  if (rule === 'linear') return [...new Set(eligible.reverse().map(({ reward }) => reward))]
  if (rule === 'lastClick') return [last.reward]
  // Of the first ones at the same time, that which is later in the stream.
  return [eligible.findLast(({ at }) => at === eligible[0]!.at)!.reward]
}

function shareOf(whole: number, parts: number, place: number): number {
  const part = Math.floor(whole / parts)
  return place === 0 ? whole - part * (parts - 1) : part
}
