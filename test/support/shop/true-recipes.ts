import type { JsonObject } from '@slotstream/protocol'
import type { Shop, ShopEvent } from './shop.js'
import { byTime, provenUser, trueOrders } from './true-orders.js'
import { trueRewards } from './true-rewards.js'

const WEEK = 7 * 86_400_000
const timeOf = ({ message }: ShopEvent) => Date.parse(message.timestamp)
const cents = (amount: number) => Math.round(amount * 100) / 100
const isPerson = ({ message }: ShopEvent) => message.context?.bot === undefined

/** Adds amounts up by key, and counts them. */
function sums<T>(rows: T[], keyOf: (row: T) => string, amountOf: (row: T) => number | null) {
  const found = new Map<string, { count: number; sum: number }>()
  for (const row of rows) {
    const entry = found.get(keyOf(row)) ?? { count: 0, sum: 0 }
    found.set(keyOf(row), { count: entry.count + 1, sum: entry.sum + (amountOf(row) ?? 0) })
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A session of a browser, with the channel of its first page. */
interface Visit {
  session: string
  browser: string
  at: number
  channel: string
}

/** The sessions of a shop in the order of time, without those of bots. */
export function trueVisits(shop: Shop): Visit[] {
  const visits = new Map<string, Visit>()
  for (const event of byTime(shop.events).filter(isPerson)) {
    const { type, anonymousId = '', context } = event.message
    const session = String(context?.sessionId ?? '')
    if (type !== 'page' || visits.has(session)) continue
    const channel = String((context?.traffic as JsonObject | undefined)?.channel)
    visits.set(session, { session, browser: anonymousId, at: timeOf(event), channel })
  }
  return [...visits.values()]
}

export function revenueByDay(shop: Shop): object[] {
  const orders = trueOrders(shop)
  const keyOf = ({ timestamp, currency }: (typeof orders)[number]) => `${timestamp.slice(0, 10)} ${currency}`
  const net = new Map(sums(orders, keyOf, order => order.net_revenue))
  return sums(orders, keyOf, order => order.revenue).map(([key, { count, sum }]) => {
    const [day, currency] = key.split(' ')
    return { day, currency, orders: count, gross: cents(sum), net: cents(net.get(key)!.sum) }
  })
}

export function channels(shop: Shop): object[] {
  const visits = trueVisits(shop)
  const channelOf = new Map(visits.map(({ session, channel }) => [session, channel]))
  const orders = trueOrders(shop)
    .filter(({ currency, session_id }) => currency === 'EUR' && channelOf.has(session_id))
    .map(({ session_id, revenue }) => ({ channel: channelOf.get(session_id)!, revenue }))
  const bought = new Map(
    sums(
      orders,
      ({ channel }) => channel,
      ({ revenue }) => revenue,
    ),
  )
  return sums(
    visits,
    ({ channel }) => channel,
    () => 0,
  ).map(([channel, { count }]) => ({
    channel,
    sessions: count,
    visitors: new Set(visits.filter(visit => visit.channel === channel).map(({ browser }) => browser)).size,
    orders: bought.get(channel)?.count ?? 0,
    revenue: cents(bought.get(channel)?.sum ?? 0),
  }))
}

export function attribution(shop: Shop): object[] {
  const visits = trueVisits(shop)
  const credits = trueOrders(shop)
    .filter(({ currency }) => currency === 'EUR')
    .flatMap(({ anonymous_id, timestamp, revenue }) => {
      const before = visits.filter(({ browser, at }) => browser === anonymous_id && at <= Date.parse(timestamp))
      if (before.length === 0) return []
      const known = before.findLast(({ channel }) => channel !== 'direct')
      return [
        { key: `first/${before[0]!.channel}`, revenue },
        { key: `last/${before.at(-1)!.channel}`, revenue },
        { key: `last non-direct/${known?.channel ?? 'direct'}`, revenue },
      ]
    })
  return sums(
    credits,
    ({ key }) => key,
    ({ revenue }) => revenue,
  )
    .map(([key, { count, sum }]) => {
      const [model, channel] = key.split('/')
      return { model: model!, channel: channel!, orders: count, revenue: cents(sum) }
    })
    .sort((a, b) => (a.model === b.model ? (a.channel < b.channel ? -1 : 1) : a.model < b.model ? -1 : 1))
}

/**
 * Makes what tells the user to whom a browser's message without one belongs: named next in its session, else before,
 * else after.
 */
function trueBrowserUsers(shop: Shop): (event: ShopEvent) => string {
  const events = byTime(shop.events)
  const places = new Map(events.map((event, place) => [event, place]))
  const named = new Map<string, { place: number; session: unknown; user: string }[]>()
  for (const [place, event] of events.entries()) {
    const { anonymousId = '', context } = event.message
    const user = provenUser(event)
    if (user && anonymousId)
      named.set(anonymousId, [...(named.get(anonymousId) ?? []), { place, session: context?.sessionId, user }])
  }
  return event => {
    const { anonymousId = '', context } = event.message
    const turns = named.get(anonymousId) ?? []
    const at = places.get(event)!
    const next = turns.find(({ place, session }) => place > at && session === context?.sessionId)
    return (next ?? turns.findLast(({ place }) => place < at) ?? turns[0])?.user ?? ''
  }
}

/** Persons by the last of three steps that they reached, in order, within a day of the first. */
export function funnel(shop: Shop): object[] {
  const personOf = trueBrowserUsers(shop)
  const steps = ['Product Viewed', 'Product Added', 'Order Completed']
  const persons = new Map<string, [step: number, at: number][]>()
  for (const event of byTime(shop.events).filter(isPerson)) {
    const browser = event.message.anonymousId ?? ''
    const person = provenUser(event) || personOf(event) || browser
    const step = steps.indexOf(event.message.event ?? '')
    persons.set(person, [
      ...(persons.get(person) ?? []),
      ...(step < 0 ? [] : [[step, timeOf(event)] as [number, number]]),
    ])
  }
  const levels = [...persons.values()].map(taken => {
    const at = (step: number, from: number, to: number) =>
      taken.filter(([which, time]) => which === step && time >= from && time <= to).map(([, time]) => time)
    const first = at(0, 0, Number.POSITIVE_INFINITY)
    const second = first.flatMap(start => at(1, start, start + 86_400_000).map(time => [start, time] as const))
    const third = second.flatMap(([start, time]) => at(2, time, start + 86_400_000))
    return third.length > 0 ? 3 : second.length > 0 ? 2 : first.length > 0 ? 1 : 0
  })
  return sums(
    levels,
    level => String(level),
    () => 0,
  ).map(([level, { count }]) => ({ level: Number(level), persons: count }))
}

const mondayOf = (time: number) => {
  const day = Math.floor(time / 86_400_000)
  return new Date((day - ((day + 3) % 7)) * 86_400_000).toISOString().slice(0, 10)
}
const weeksBetween = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / WEEK)

/** The week of the first message of each browser. */
function cohorts(shop: Shop): Map<string, string> {
  const found = new Map<string, string>()
  for (const event of byTime(shop.events).filter(isPerson)) {
    const { anonymousId } = event.message
    if (anonymousId && !found.has(anonymousId)) found.set(anonymousId, mondayOf(timeOf(event)))
  }
  return found
}

export function retention(shop: Shop): object[] {
  const cohortOf = cohorts(shop)
  const weeks = new Set(
    shop.events
      .filter(event => isPerson(event) && event.message.anonymousId)
      .map(event => `${event.message.anonymousId} ${mondayOf(timeOf(event))}`),
  )
  const pairs = [...weeks].map(text => {
    const [browser, week] = text.split(' ')
    const cohort = cohortOf.get(browser!)!
    return `${cohort} ${weeksBetween(cohort, week!)}`
  })
  return sums(
    pairs,
    pair => pair,
    () => 0,
  ).map(([pair, { count }]) => {
    const [cohort, weeks_later] = pair.split(' ')
    return { cohort, weeks_later: Number(weeks_later), visitors: count }
  })
}

export function lifetimeValue(shop: Shop): object[] {
  const cohortOf = cohorts(shop)
  const orders = trueOrders(shop)
    .filter(({ currency, anonymous_id }) => currency === 'EUR' && cohortOf.has(anonymous_id))
    .map(order => ({
      ...order,
      cohort: cohortOf.get(order.anonymous_id)!,
      week: mondayOf(Date.parse(order.timestamp)),
    }))
  const keyOf = ({ cohort, week }: (typeof orders)[number]) => `${cohort} ${weeksBetween(cohort, week)}`
  return sums(orders, keyOf, ({ net_revenue }) => net_revenue).map(([key, { sum }]) => {
    const [cohort, weeks_later] = key.split(' ')
    const buyers = new Set(orders.filter(order => keyOf(order) === key).map(({ anonymous_id }) => anonymous_id)).size
    return { cohort, weeks_later: Number(weeks_later), buyers, net: cents(sum) }
  })
}

/** The ten most frequent three pages in a row of a session. */
export function paths(shop: Shop): object[] {
  const sessions = new Map<string, { at: number; path: string }[]>()
  for (const event of shop.events.filter(isPerson)) {
    const { type, context } = event.message
    const session = String(context?.sessionId ?? '')
    if (type !== 'page' || session === '') continue
    const path = String((context?.page as JsonObject | undefined)?.path ?? '')
    sessions.set(session, [...(sessions.get(session) ?? []), { at: timeOf(event), path }])
  }
  const triples = [...sessions.values()].flatMap(views => {
    const ordered = views.sort((a, b) => a.at - b.at || (a.path < b.path ? -1 : 1)).map(({ path }) => path)
    return ordered.slice(2).map((_, n) => ordered.slice(n, n + 3).join(' → '))
  })
  return sums(
    triples,
    pages => pages,
    () => 0,
  )
    .map(([pages, { count }]) => ({ pages, times: count }))
    .sort((a, b) => b.times - a.times || (a.pages < b.pages ? -1 : 1))
    .slice(0, 10)
}

/** What of each product was sold, and for how much. */
export function products(shop: Shop): object[] {
  const lines = trueOrders(shop).flatMap(({ currency, products }) =>
    products.map(({ product_id, price, quantity = 1 }) => ({
      product_id,
      currency,
      price: Number(price),
      quantity: Number(quantity),
    })),
  )
  const keyOf = ({ product_id, currency }: (typeof lines)[number]) => `${product_id} ${currency}`
  const sold = new Map(sums(lines, keyOf, ({ quantity }) => quantity))
  return sums(lines, keyOf, ({ price, quantity }) => price * quantity).map(([key, { sum }]) => {
    const [product_id, currency] = key.split(' ')
    return { product_id, currency, sold: sold.get(key)!.sum, earned: cents(sum) }
  })
}

/** When the newest message was received, ISO 8601. */
export function newest(shop: Shop): string {
  return (
    shop.events
      .map(({ receivedAt }) => receivedAt)
      .sort()
      .at(-1) ?? ''
  )
}

/** Lift of each content over the visitors held out, with its interval, from the sums of a period. */
export function lifts(shop: Shop): Record<string, string | number>[] {
  const groups = new Map<
    string,
    { slot_id: string; content_id: string; holdout: boolean; seen: number; clicked: number }
  >()
  for (const { decision, content_id, viewed_at, clicked_at } of trueRewards(shop).values()) {
    if (!viewed_at || (content_id === '' && !decision.holdout)) continue
    const key = `${decision.slotId}/${content_id}`
    const { slotId: slot_id, holdout } = decision
    const group = groups.get(key) ?? { slot_id, content_id, holdout, seen: 0, clicked: 0 }
    groups.set(key, { ...group, seen: group.seen + 1, clicked: group.clicked + (clicked_at ? 1 : 0) })
  }
  const all = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
  return all
    .filter(({ holdout }) => !holdout)
    .map(({ slot_id, content_id, seen, clicked }) => {
      const held = all.find(group => group.holdout && group.slot_id === slot_id)!
      const [rate, control_rate] = [clicked / seen, held.clicked / held.seen]
      const [low, high] = wilson(clicked, seen)
      const [controlLow, controlHigh] = wilson(held.clicked, held.seen)
      const lift = rate - control_rate
      return {
        ...{ slot_id, content_id, seen, rate, control_rate, lift },
        lift_low: lift - Math.hypot(rate - low, controlHigh - control_rate),
        lift_high: lift + Math.hypot(high - rate, control_rate - controlLow),
      }
    })
}

/** The 95 % interval of a rate (Wilson 1927): where |rate - p| is 1.96 standard errors of p. */
function wilson(successes: number, trials: number): [low: number, high: number] {
  const [z, rate] = [1.96, successes / trials]
  const middle = 2 * successes + z * z
  const reach = z * Math.sqrt(z * z + 4 * successes * (1 - rate))
  return [(middle - reach) / (2 * (trials + z * z)), (middle + reach) / (2 * (trials + z * z))]
}
