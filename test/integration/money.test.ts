import type { JsonObject, Sender } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { FILL_HISTORY } from '../support/shop/fill-history.js'
import { loadShop } from '../support/shop/load.js'
import { generateShop, type Shop } from '../support/shop/shop.js'
import { type TrueOrder, trueOrders } from '../support/shop/true-orders.js'
import { truePerformance } from '../support/shop/true-performance.js'
import { rewardKey, trueRewards } from '../support/shop/true-rewards.js'
import { twoGroups } from '../support/shop/two-groups.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

let clickhouse: ClickHouse
let shop: Shop

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  shop = generateShop({ seed: 7, visitors: 400, now: Date.UTC(2026, 5, 1) })
  await loadShop(clickhouse.client, shop)
})
afterAll(() => clickhouse?.stop())

const read = async <T>(query: string) =>
  (
    await clickhouse.client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: { date_time_output_format: 'iso' },
    })
  ).json<T>()

const byText = <T>(rows: T[]) => rows.map(row => JSON.stringify(row)).sort()

describe('the orders of a generated shop', () => {
  it('hold what the generator promises', () => {
    const orders = trueOrders(shop)
    const sent = shop.events.filter(({ message }) => message.event === 'Order Completed')
    expect(sent.length).toBeGreaterThan(orders.length + 50)
    expect(orders.length).toBeGreaterThan(100)
    expect(new Set(orders.map(({ currency }) => currency))).toEqual(new Set(['EUR', 'USD', '']))
    expect(orders.filter(({ revenue }) => revenue === null).length).toBeGreaterThan(3)
    expect(orders.filter(({ refunded, revenue }) => refunded === revenue && revenue).length).toBeGreaterThan(3)
    expect(orders.filter(({ refunded }) => refunded).length).toBeGreaterThan(20)
  })

  it('are each one row, as sent first, with what was given back', async () => {
    const rows = await read<TrueOrder>(
      `SELECT order_id, timestamp, anonymous_id, user_id, session_id, revenue, currency, total, shipping, tax, discount, coupon, refunded,
         net_revenue, items
       FROM slotstream.orders WHERE site_id = 'demo'`,
    )
    expect(byText(rows)).toEqual(byText(trueOrders(shop).map(({ products: _, ...order }) => order)))
  })

  it('have their products', async () => {
    const rows = await read(
      `SELECT order_id, timestamp, line, product_id, name, category, price, quantity, currency, revenue
       FROM slotstream.order_items`,
    )
    const items = trueOrders(shop).flatMap(({ order_id, timestamp, currency, products }) =>
      products.map(({ product_id, name, category, price, quantity = 1 }, place) => ({
        order_id,
        timestamp,
        line: place + 1,
        product_id,
        name,
        category,
        price,
        quantity: Number(quantity),
        currency,
        revenue: Math.round(Number(price) * Number(quantity) * 1e6) / 1e6,
      })),
    )
    expect(byText(rows)).toEqual(byText(items))
  })
})

describe('an order that a server sends', () => {
  it('costs what the server says, whatever pages say of the same id, and when', async () => {
    const at = (second: number) => `2026-03-01T00:00:0${second}.000Z`
    const ordered = (second: number, sender: 'public' | 'secret', properties: JsonObject): Shop['events'][number] => ({
      seq: second + 1,
      index: 0,
      sender,
      receivedAt: at(9),
      message: {
        messageId: `forged-${second}`,
        type: 'track',
        event: 'Order Completed',
        anonymousId: sender === 'public' ? 'page' : '',
        userId: sender === 'secret' ? 'buyer' : '',
        timestamp: at(second),
        originalTimestamp: at(second),
        properties: { order_id: 'known', ...properties },
      },
    })
    const events = [
      ordered(1, 'public', { revenue: 0, currency: 'XXX', coupon: 'FORGED' }),
      ordered(2, 'secret', { revenue: 99, currency: 'EUR' }),
      ordered(3, 'public', { revenue: 1e9, currency: 'EUR' }),
    ]
    await loadShop(clickhouse.client, { siteId: 'forged', events, decisions: [] })
    const rows = await read(
      `SELECT revenue, currency, coupon, anonymous_id, user_id FROM slotstream.orders WHERE site_id = 'forged'`,
    )
    expect(rows).toEqual([{ revenue: 99, currency: 'EUR', coupon: '', anonymous_id: 'page', user_id: 'buyer' }])
  })
})

describe('a refund', () => {
  it('by a page lowers no order that a server has reported, one by a server does, and pages refund their own', async () => {
    const at = (second: number) => `2026-03-01T01:00:${String(second).padStart(2, '0')}.000Z`
    const sent = (second: number, sender: Sender, event: string, properties: JsonObject): Shop['events'][number] => ({
      seq: second + 1,
      index: 0,
      sender,
      receivedAt: at(20),
      message: {
        messageId: `refund-${second}`,
        type: 'track',
        event,
        anonymousId: 'page',
        timestamp: at(second),
        originalTimestamp: at(second),
        properties,
      },
    })
    const price = { revenue: 50, currency: 'EUR' }
    const events = [
      sent(1, 'secret', 'Order Completed', { order_id: 'server', ...price }),
      sent(2, 'public', 'Order Completed', { order_id: 'page', ...price }),
      sent(3, 'public', 'Order Refunded', { order_id: 'server' }),
      sent(4, 'unsigned', 'Order Refunded', { order_id: 'server', revenue: 20 }),
      sent(5, 'secret', 'Order Refunded', { order_id: 'server', revenue: 5 }),
      sent(6, 'public', 'Order Refunded', { order_id: 'page', revenue: 7 }),
      sent(7, 'secret', 'Order Refunded', { order_id: 'page', revenue: 8 }),
      sent(8, 'public', 'Order Completed', { order_id: 'credit', revenue: -5 }),
      sent(9, 'public', 'Order Refunded', { order_id: 'credit' }),
      sent(10, 'public', 'Order Completed', { order_id: 'signed', revenue: 50 }),
      sent(11, 'public', 'Order Refunded', { order_id: 'signed', revenue: -8 }),
    ]
    await loadShop(clickhouse.client, { siteId: 'refunds', events, decisions: [] })
    expect(
      await read(
        `SELECT order_id, refunded, net_revenue FROM slotstream.orders WHERE site_id = 'refunds' ORDER BY order_id`,
      ),
    ).toEqual([
      { order_id: 'credit', refunded: 0, net_revenue: -5 },
      { order_id: 'page', refunded: 15, net_revenue: 35 },
      { order_id: 'server', refunded: 5, net_revenue: 45 },
      { order_id: 'signed', refunded: 8, net_revenue: 42 },
    ])
  })
})

describe('the rewards of a generated shop', () => {
  it('credit each order once', async () => {
    const rewards = trueRewards(shop)
    const rows = await read<Record<string, unknown>>('SELECT * FROM slotstream.decision_rewards')
    expect(rows).toHaveLength(rewards.size)
    const expected = [...rewards.values()].map(({ decision, content_id, viewed_at, clicked_at, orders, revenue }) => ({
      decision_id: decision.decisionId,
      timestamp: decision.timestamp,
      user_id: decision.userId ?? '',
      session_id: decision.sessionId,
      outcome: decision.outcome,
      holdout: decision.holdout,
      content_id,
      viewed: viewed_at === null ? 0 : 1,
      clicked: clicked_at === null ? 0 : 1,
      viewed_at,
      clicked_at,
      orders: orders / 1e6,
      revenue: revenue.size > 1 ? null : ([...revenue.values()][0] ?? 0) / 1e6,
      revenue_by_currency: inUnits(revenue),
    }))
    const seen = new Map(rows.map(row => [rewardKey(String(row.decision_id), String(row.content_id)), row]))
    for (const reward of expected)
      expect(seen.get(rewardKey(reward.decision_id, reward.content_id))).toMatchObject(reward)
    expect(expected.filter(({ orders }) => orders > 0).length).toBeGreaterThan(50)
  })
})

describe('the performance of slots', () => {
  it('adds up what came of the decisions, with those held out in rows of their own', async () => {
    const rows = await read<Record<string, unknown>>(
      `SELECT slot_id, content_id, holdout, day, decisions, impressions, clicks, viewed_clicks, ctr, reward, orders, revenue,
         revenue_by_currency
       FROM slotstream.slot_performance SETTINGS output_format_json_quote_64bit_integers = 0`,
    )
    expect(byText(rows)).toEqual(byText(truePerformance(shop)))
    expect(rows.some(({ holdout, orders }) => holdout && Number(orders) > 0)).toBe(true)
  })

  it('never has more revenue than the orders', async () => {
    const [sums] = await read<Record<string, number>>(
      `SELECT (SELECT sum(orders) FROM slotstream.slot_performance) AS credited,
         (SELECT uniqExact(order_id, ordered_at) FROM slotstream.order_credits) AS orders,
         (SELECT count() FROM slotstream.orders) AS all`,
    )
    expect(Number(sums!.credited)).toBeCloseTo(Number(sums!.orders), 6)
    expect(Number(sums!.orders)).toBeLessThan(Number(sums!.all))
  })

  it('has intervals as Newcombe (1998, table II, method 10) has them, without clicks as well', async () => {
    for (const [siteId, counts] of [
      ['newcombe-a', [56, 70, 48, 80]],
      ['newcombe-none', [0, 10, 0, 20]],
    ] as const)
      await loadShop(clickhouse.client, twoGroups(siteId, counts))
    const rows = await read(
      `SELECT site_id, round(lift, 4) AS lift, round(lift_low, 4) AS low, round(lift_high, 4) AS high
       FROM slotstream.slot_performance WHERE site_id LIKE 'newcombe-%' AND NOT holdout ORDER BY site_id`,
    )
    expect(rows).toEqual([
      { site_id: 'newcombe-a', lift: 0.2, low: 0.0524, high: 0.3339 },
      { site_id: 'newcombe-none', lift: 0, low: -0.1611, high: 0.2775 },
    ])
  })
})

describe('questions about a period', () => {
  beforeAll(async () => {
    for (const query of FILL_HISTORY) await clickhouse.client.command({ query })
  })

  it.each([
    ['decision_rewards', 'timestamp'],
    ['slot_performance', 'day'],
  ])('read of %s what lies in it, and the few rows of money', async (view, time) => {
    const result = await clickhouse.client.query({
      query: `SELECT count() AS n FROM slotstream.${view}
              WHERE site_id = 'large' AND ${time} >= toDate('2026-03-20') AND ${time} < toDate('2026-03-26')`,
      format: 'JSON',
    })
    const { statistics } = await result.json()
    const rowsOf = async (table: string) =>
      Number((await read<{ n: string }>(`SELECT count() AS n FROM slotstream.${table} WHERE site_id = 'large'`))[0]!.n)
    const period = ((await rowsOf('events')) + (await rowsOf('decisions'))) / 10
    // Clicks and orders are few, and read as a whole, more than once.
    const money = Number((await read<{ n: string }>('SELECT count() AS n FROM slotstream.money_events'))[0]!.n)
    expect(Number(statistics?.rows_read) - 4 * money).toBeLessThan(1.5 * period)
  })
})

const inUnits = (amounts: Map<string, number>) =>
  Object.fromEntries([...amounts].map(([currency, amount]) => [currency, amount / 1e6]))

describe('a sum of orders', () => {
  interface Sums {
    revenue: number | null
    orders: number
    revenue_by_currency: Record<string, number>
  }

  /** Loads a browser that clicked a content and ordered then; resolves to what views sum up of its orders. */
  async function sumsOf(siteId: string, ...orders: JsonObject[]) {
    const shop = twoGroups(siteId, [1, 1, 0, 0])
    for (const [second, properties] of orders.entries()) {
      const timestamp = `2026-03-01T00:00:0${second + 1}.000Z`
      shop.events.push({
        ...{ seq: 10 + second, index: 0, sender: 'public', receivedAt: '2026-03-01T00:01:00.000Z' },
        message: {
          ...{ messageId: `${siteId}-${second}`, type: 'track', event: 'Order Completed', anonymousId: `${siteId}-0` },
          ...{ timestamp, originalTimestamp: timestamp, properties, context: { sessionId: 'visit' } },
        },
      })
    }
    await loadShop(clickhouse.client, shop)
    const of = <T>(view: string, columns: string) =>
      read<T>(`SELECT ${columns} FROM slotstream.${view} WHERE site_id = '${siteId}' ORDER BY ALL DESC`)
    const credited = 'orders, revenue, revenue_by_currency'
    const [[reward], [performance], sessions] = await Promise.all([
      of<Sums>('decision_rewards', credited),
      of<Sums>('slot_performance', credited),
      of<{ session_id: string; revenue: number | null }>('sessions', 'session_id, revenue'),
    ])
    expect(performance).toEqual(reward)
    expect(sessions.find(({ session_id }) => session_id === 'visit')!.revenue).toBe(reward!.revenue)
    return { ...reward, rows: await of('orders', 'order_id, revenue, currency') }
  }

  const mended = [
    { order_id: 'mended', revenue: 'NaN', currency: 'EUR' },
    { order_id: 'mended', revenue: 40, currency: 'EUR' },
    { order_id: 'mended', revenue: 60, currency: 'EUR' },
  ]
  const free = { order_id: 'free', revenue: 0 }

  it('takes of each the first revenue that is a number, and no currency from what is free', async () => {
    expect(await sumsOf('sums', ...mended, free)).toEqual({
      ...{ orders: 2, revenue: 40, revenue_by_currency: { EUR: 40, '': 0 } },
      rows: [
        { order_id: 'mended', revenue: 40, currency: 'EUR' },
        { order_id: 'free', revenue: 0, currency: '' },
      ],
    })
    expect(await sumsOf('free', free)).toMatchObject({ revenue: 0 })
  })

  it('is none where two currencies cost something', async () => {
    const other = { order_id: 'other', revenue: 3, currency: 'USD' }
    expect(await sumsOf('mixed', ...mended, free, other)).toMatchObject({ orders: 3, revenue: null })
  })
})
