import type { Shop } from './shop.js'
import { type TrueReward, trueRewards } from './true-rewards.js'

interface Counted {
  slot_id: string
  content_id: string
  holdout: boolean
  day: string
  rewards: TrueReward[]
}

/** Computes the rows of `slot_performance` of a shop, without lifts. */
export function truePerformance(shop: Shop): object[] {
  const rows = new Map<string, Counted>()
  for (const reward of trueRewards(shop).values()) {
    const { slotId, timestamp, holdout } = reward.decision
    if (reward.content_id === '' && !holdout) continue
    const day = timestamp.slice(0, 10)
    const key = JSON.stringify([slotId, reward.content_id, holdout, day])
    const row = rows.get(key) ?? { slot_id: slotId, content_id: reward.content_id, holdout, day, rewards: [] }
    row.rewards.push(reward)
    rows.set(key, row)
  }
  return [...rows.values()].map(({ rewards, ...row }) => {
    const seen = rewards.filter(({ viewed_at }) => viewed_at)
    const clicked = rewards.filter(({ clicked_at }) => clicked_at)
    const revenue = new Map<string, number>()
    for (const reward of rewards)
      for (const [currency, amount] of reward.revenue) revenue.set(currency, (revenue.get(currency) ?? 0) + amount)
    return {
      ...row,
      decisions: rewards.length,
      impressions: seen.length,
      clicks: clicked.length,
      viewed_clicks: seen.filter(({ clicked_at }) => clicked_at).length,
      ctr: seen.length === 0 ? null : clicked.length / seen.length,
      reward: clicked.length,
      orders: rewards.reduce((sum, { orders }) => sum + orders, 0) / 1e6,
      revenue: revenue.size > 1 ? null : ([...revenue.values()][0] ?? 0) / 1e6,
      revenue_by_currency: Object.fromEntries([...revenue].sort().map(([name, amount]) => [name, amount / 1e6])),
    }
  })
}
