import { randomUUID } from 'node:crypto'
import type { SlotDecision } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

const SITE = 'shop'

/** Programs take a while to start on a busy machine. */
const PATIENCE = { timeoutMs: 240_000, everyMs: 100 }

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: string
let aggregator: Aggregator

beforeAll(async () => {
  broker = await startBroker({ PARTITIONS: '4' })
  collector = (await broker.program()).url
  aggregator = await start('one')
  await putSite(collector, SITE)
  await admin('POST', `/sites/${SITE}/catalog`, {
    slots: [{ id: 'list', count: 3, holdout: 0, policy: { type: 'fixed', contentIds: ['fresh', 'liked', 'usual'] } }],
    content: [
      // Until it was seen too often without a click, in this slot or another.
      content('fresh', { 'content.features.content_views': { $lt: 4 } }),
      content('liked', { 'content.features.content_click_rate': { $gte: 0.5 } }),
      content('usual'),
    ],
  })
})
afterAll(async () => {
  await aggregator?.end('SIGKILL')
  await broker?.stop()
})

const content = (id: string, where?: object) => ({
  ...{ id, slots: ['list'], category: 'all', payload: { id } },
  ...(where && { where }),
})

async function start(name: string): Promise<Aggregator> {
  const env = { NATS_URL: broker.url, ROLES: 'profiles,decisions', AGGREGATOR_NAME: name, LEARNING_SNAPSHOT_S: '1' }
  const started = await startAggregator(env)
  await until(
    'it is up to date',
    () => started.missing().catch(String),
    text => text.includes('ready'),
    PATIENCE,
  )
  return started
}

async function call(method: string, path: string, body: object | undefined, Authorization: string): Promise<unknown> {
  const response = await fetch(`${collector}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

const admin = (method: string, path: string, body?: object) =>
  call(method, `/v1/admin${path}`, body, `Bearer ${ADMIN_TOKEN}`)

const post = (path: string, body: object) =>
  call('POST', path, { ...body, writeKey: SITE }, `Basic ${btoa(`${SITE}:`)}`)

/** Sends events of visitors, of each one event. */
async function send(event: string, properties: object, visitors: number): Promise<void> {
  const batch = Array.from({ length: visitors }, (_, visitor) => ({
    ...{ messageId: randomUUID(), type: 'track', event, anonymousId: `${event}-${visitor}`, properties },
  }))
  await post('/v1/batch', { batch })
}

/** Shows the slot to a visitor who never came before. */
async function shown(): Promise<string[]> {
  const body = { anonymousId: randomUUID(), slots: [{ id: 'list' }] }
  const { decisions } = (await post('/v1/slots', body)) as { decisions: SlotDecision[] }
  return decisions[0]!.items.map(({ contentId }) => contentId)
}

const untilShown = (...expected: string[]) =>
  until(
    `the slot shows ${expected.join(', ')}`,
    shown,
    ids => JSON.stringify(ids) === JSON.stringify(expected),
    PATIENCE,
  )

const featuresOf = async (id: string) =>
  ((await admin('GET', `/sites/${SITE}/content/${id}/features`)) as Record<'features', Record<string, object>>).features

describe('a condition over features of content', () => {
  it('lets candidates in and out as views and clicks come in', async () => {
    // Nothing was seen yet: it has no rate.
    await untilShown('fresh', 'usual')
    await send('Slot Viewed', { contentId: 'liked', slotId: 'list' }, 4)
    await send('Slot Clicked', { contentId: 'liked', slotId: 'list' }, 2)
    await untilShown('fresh', 'liked', 'usual')
    await send('Slot Viewed', { contentId: 'fresh', slotId: 'list' }, 3)
    await send('Slot Viewed', { contentId: 'liked', slotId: 'other' }, 1)
    await untilShown('fresh', 'usual')
    await send('Slot Viewed', { contentId: 'fresh', slotId: 'other' }, 1)
    await untilShown('usual')
    expect((await featuresOf('fresh')).content_views).toMatchObject({ value: 4, slots: { list: 3, other: 1 } })
    await send('Slot Clicked', { contentId: 'liked', slotId: 'list' }, 1)
    await untilShown('liked', 'usual')
  })

  it('reads a feature that is declared later with what was before, and says why', async () => {
    await send('Order Completed', { product_id: 'fresh', order_id: randomUUID() }, 5)
    await admin('PUT', `/sites/${SITE}/features`, {
      features: [{ name: 'sold', source: { event: 'Order Completed' }, aggregate: 'count', entity: 'content' }],
    })
    await admin('PUT', `/sites/${SITE}/content/fresh`, content('fresh', { 'content.features.sold': { $gte: 6 } }))
    await until(
      'the orders of before are counted',
      async () => (await featuresOf('fresh')).sold,
      sold => JSON.stringify(sold).startsWith('{"value":5,'),
      PATIENCE,
    )
    await untilShown('liked', 'usual')
    await send('Order Completed', { product_id: 'fresh', order_id: randomUUID() }, 1)
    await untilShown('fresh', 'liked', 'usual')
    expect((await featuresOf('fresh')).sold).not.toHaveProperty('filling')
  })

  it('holds after the process was killed', async () => {
    await aggregator.end('SIGKILL')
    aggregator = await start('two')
    await untilShown('fresh', 'liked', 'usual')
    expect((await featuresOf('fresh')).sold).toMatchObject({ value: 6 })
    expect((await featuresOf('liked')).content_click_rate).toMatchObject({ value: 3 / 5 })
  })
})
