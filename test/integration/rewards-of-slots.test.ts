import { randomUUID } from 'node:crypto'
import type { SlotDecision } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { foldStreams, totalsOf } from '../support/learned.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const SITE = 'rewards'

/** Slots by what they are rewarded for; `plain` has a policy that does not learn, and rewards of no slot's own. */
const SLOTS = {
  plans: {
    policy: { type: 'thompson' },
    rewards: [
      { event: 'Slot Clicked', windowHours: 24, value: 2 },
      { event: 'Order Completed', windowHours: 24, value: 'properties.revenue' },
    ],
  },
  signups: { policy: { type: 'random' }, rewards: [{ event: 'Signed Up', windowHours: 24 }] },
  decaying: { policy: { type: 'popular' }, rewards: [{ event: 'Video Watched', windowHours: 24, halfLife: '1h' }] },
  usual: {},
  plain: { policy: { type: 'random' } },
}

let broker: Awaited<ReturnType<typeof startBroker>>
let clickhouse: ClickHouse
let url: string
let aggregator: Aggregator

beforeAll(async () => {
  ;[broker, clickhouse] = await Promise.all([startBroker(), startClickHouse()])
  url = await broker.collector()
  const { account } = clickhouse
  const server = {
    CLICKHOUSE_URL: account.url,
    CLICKHOUSE_USER: account.username,
    CLICKHOUSE_PASSWORD: account.password,
  }
  aggregator = await startAggregator({ NATS_URL: broker.url, ...server, AGGREGATOR_NAME: 'one' })
  await putSite(url, SITE)
  await post('/v1/admin/sites/rewards/catalog', `Bearer ${ADMIN_TOKEN}`, {
    slots: Object.entries(SLOTS).map(([id, slot]) => ({ id, ...slot })),
    content: Object.keys(SLOTS).flatMap(slot =>
      ['a', 'b'].map(name => ({ id: `${slot}-${name}`, slots: [slot], category: name, payload: {} })),
    ),
  })
})
afterAll(async () => {
  await aggregator?.end('SIGKILL')
  await broker?.stop()
  await clickhouse?.stop()
})

async function post(path: string, Authorization: string, body: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', Authorization }
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

const send = (anonymousId: string, ...messages: { event: string; properties: object }[]) =>
  post('/v1/batch', `Basic ${btoa(`${SITE}:`)}`, {
    batch: messages.map(message => ({ messageId: randomUUID(), type: 'track', anonymousId, ...message })),
  })

/** One visitor: views all, clicks what is called `…-a`, and every other one orders, signs up and watches. */
async function visit(anonymousId: string, isBuyer: boolean): Promise<SlotDecision[]> {
  const slots = Object.keys(SLOTS).map(id => ({ id }))
  const { decisions } = await until(
    'all slots are served',
    () =>
      post('/v1/slots', `Basic ${btoa(`${SITE}:`)}`, { anonymousId, slots }) as Promise<{ decisions: SlotDecision[] }>,
    ({ decisions }) => decisions.every(({ outcome }) => outcome === 'served'),
    { timeoutMs: 60_000 },
  )
  const answersOf = (event: string) =>
    decisions.map(({ slotId, decisionId, items: [item] }) => ({
      event,
      properties: { slotId, decisionId, contentId: item!.contentId, position: 1 },
    }))
  await send(anonymousId, ...answersOf('Slot Viewed'))
  await send(anonymousId, ...answersOf('Slot Clicked').filter(({ properties }) => properties.contentId.endsWith('-a')))
  if (!isBuyer) return decisions
  const order = { event: 'Order Completed', properties: { order_id: anonymousId, revenue: 12.5, currency: 'EUR' } }
  await send(anonymousId, order, { event: 'Signed Up', properties: {} }, { event: 'Video Watched', properties: {} })
  // Reported once more: the same order.
  await send(anonymousId, order)
  return decisions
}

const query = async <Row>(sql: string): Promise<Row[]> =>
  (await clickhouse.client.query({ query: sql, format: 'JSONEachRow' })).json<Row>()

describe('the rewards in decision_rewards', () => {
  it('are those of the slot, as its model has them to the last unit', async () => {
    const all: { isBuyer: boolean; decisions: SlotDecision[] }[] = []
    for (let n = 0; n < 20; n++) all.push({ isBuyer: n % 2 === 0, decisions: await visit(`visitor-${n}`, n % 2 === 0) })

    interface Row {
      decision_id: string
      slot_id: string
      content_id: string
      reward: number
    }
    const learners = Object.keys(SLOTS).length - 1
    const views = `SELECT slot_id, content_id, toUInt32(views) AS views, toInt64(round(rewards * 10000)) AS units
      FROM slotstream.model_state WHERE site_id = '${SITE}'`
    const isLoaded = (await foldedUntil(learners * all.length)).units
    await until(
      'all is loaded',
      () => query<{ views: number; units: string }>(views),
      rows => rows.reduce((sum, { units }) => sum + Number(units), 0) === isLoaded,
      { timeoutMs: 60_000 },
    )
    const rows = await until(
      'all clicks are loaded',
      () =>
        query<Row & { clicked: number }>(
          `SELECT decision_id, slot_id, content_id, reward, clicked FROM slotstream.decision_rewards
           WHERE site_id = '${SITE}' AND viewed`,
        ),
      found => {
        const clicked = found.filter(({ content_id }) => content_id.endsWith('-a'))
        return found.length === all.length * Object.keys(SLOTS).length && clicked.every(row => row.clicked === 1)
      },
      { timeoutMs: 60_000 },
    )

    const rewardOf = new Map(rows.map(row => [row.decision_id, row]))
    for (const { isBuyer, decisions } of all)
      for (const { slotId, decisionId, items } of decisions) {
        const isClicked = items[0]!.contentId.endsWith('-a')
        const { reward } = rewardOf.get(decisionId)!
        if (slotId === 'usual' || slotId === 'plain') expect(reward).toBe(Number(isClicked))
        if (slotId === 'signups') expect(reward).toBe(Number(isBuyer))
        if (slotId === 'plans') expect(reward).toBe((isClicked ? 2 : 0) + (isBuyer ? 12.5 : 0))
        if (slotId === 'decaying') expect(reward > 0.9 && reward <= 1).toBe(isBuyer)
      }

    const units = new Map<string, number>()
    for (const { slot_id, content_id, reward } of rows) {
      if (slot_id === 'plain') continue
      const name = `${SITE} ${slot_id} ${content_id}`
      units.set(name, (units.get(name) ?? 0) + Math.round(reward * 10_000))
    }
    const { totals } = await foldedUntil(learners * all.length)
    expect(Object.fromEntries(units)).toEqual(
      Object.fromEntries(Object.entries(totals).map(([name, { reward }]) => [name, reward])),
    )
  })
})

/** Learns from scratch by the streams until they have so many views, and what buyers earned. */
async function foldedUntil(views: number) {
  const { totals } = await until(
    'all is learned',
    async () => ({ totals: totalsOf(await foldStreams(broker)) }),
    ({ totals }) => {
      const each = Object.entries(totals)
      const signups = each
        .filter(([name]) => name.includes(' signups '))
        .reduce((sum, [, { reward }]) => sum + reward, 0)
      return each.reduce((sum, [, total]) => sum + total.views, 0) === views && signups === 100_000
    },
    { timeoutMs: 60_000 },
  )
  return { totals, units: Object.values(totals).reduce((sum, { reward }) => sum + reward, 0) }
}
