import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { covisitationModel, easeModel, gramOfUsers, type ItemPolicy, knnModel } from '@slotstream/core'
import type { DecisionEnvelope, LearningEnvelope, PersonJob, SlotDecision } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClickHouse } from '#aggregator/clickhouse/client.js'
import { readBrowsers, readFrequentItems } from '#aggregator/items/fit/read-items.js'
import { createItemStore } from '#aggregator/items/stored/item-store.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from '../support/collector.js'
import {
  PASSWORD,
  type Running,
  start as startClickHouse,
  stopAll,
  stop as stopClickHouse,
} from '../support/embedded-server.js'
import { foldEnvelopes, foldStreams, readSnapshot, sumsOf, totalsOf } from '../support/learned.js'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { until } from '../support/until.js'

const SITE = 'shop'

/** Slots of the page: content `…-a` is always clicked, content `…-b` never. */
const SLOTS = ['thompson', 'contextual', 'default']

/** Visitors that come at once, wave by wave: 500 in all. What a wave teaches is known to the next one. */
const WAVES = [20, 30, 50, 50, 75, 75, 100, 100]

/** Least probability of a candidate: half of the exploration, which is 0.02 by default. */
const FLOOR = 0.01

/** Programs take a while to start on a busy machine. */
const PATIENCE = { timeoutMs: 240_000, everyMs: 250 }

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: string
let aggregator: Aggregator
let warehouse: Promise<{ program: Aggregator; clickhouse: string; folder: string; process: Running['process'] }>
let visitors = 0

beforeAll(async () => {
  broker = await startBroker({ PARTITIONS: '4' })
  warehouse = startWarehouse()
  collector = (await broker.program()).url
  aggregator = await startLearner()
  await putSite(collector, SITE)
  await admin('POST', `/sites/${SITE}/catalog`, {
    slots: SLOTS.map(id => ({ id, ...(id !== 'default' && { policy: { type: id } }) })),
    content: SLOTS.flatMap(slot =>
      ['a', 'b'].map(name => ({ id: `${slot}-${name}`, slots: [slot], category: name, payload: { name } })),
    ),
  })
})
afterAll(async () => {
  await aggregator?.end('SIGKILL')
  const { program, folder } = await warehouse
  await program.end('SIGKILL')
  await stopAll()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Starts ClickHouse and what loads it, while visitors come already. */
async function startWarehouse() {
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-learning-'))
  await copyMigratedTables(folder)
  const { url: clickhouse, process } = await startClickHouse(folder, { LOG_LEVEL: 'info' })
  const account = { CLICKHOUSE_URL: clickhouse, CLICKHOUSE_USER: 'slotstream', CLICKHOUSE_PASSWORD: PASSWORD }
  const program = await startAggregator({
    NATS_URL: broker.url,
    ROLES: 'warehouse,batch',
    PARITY_SAMPLE: '0',
    AGGREGATOR_NAME: 'two',
    ...account,
  })
  return { program, clickhouse, folder, process }
}

async function startLearner(): Promise<Aggregator> {
  const env = { NATS_URL: broker.url, ROLES: 'profiles,decisions', AGGREGATOR_NAME: 'one', LEARNING_SNAPSHOT_S: '1' }
  const started = await startAggregator(env)
  await until(
    'it is up to date',
    () => started.missing().catch(String),
    text => text.includes('ready'),
    PATIENCE,
  )
  return started
}

async function post(path: string, body: object): Promise<unknown> {
  return call('POST', path, { ...body, writeKey: SITE }, `Basic ${btoa(`${SITE}:`)}`)
}

function admin(method: string, path: string, body?: object): Promise<unknown> {
  return call(method, `/v1/admin${path}`, body, `Bearer ${ADMIN_TOKEN}`)
}

async function call(
  method: string,
  path: string,
  body: object | undefined,
  Authorization: string,
  userAgent?: string,
): Promise<unknown> {
  const response = await fetch(`${collector}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization, ...(userAgent && { 'User-Agent': userAgent }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

/** Asks ClickHouse until the views of all visitors are there, and returns them by content. */
async function viewsIn(sql: string): Promise<Record<string, { views: number; reward: number }>> {
  const { clickhouse } = await warehouse
  type Row = { slot_id: string; content_id: string; views: number; rewards: number }
  const rows = await until(
    'all is loaded',
    async () => {
      const query = '/?default_format=JSON&output_format_json_quote_64bit_integers=0'
      const response = await fetch(`${clickhouse}${query}`, { method: 'POST', body: sql })
      if (!response.ok) throw new Error(await response.text())
      return ((await response.json()) as { data: Row[] }).data
    },
    found => found.reduce((sum, { views }) => sum + views, 0) === SLOTS.length * visitors,
    PATIENCE,
  )
  return Object.fromEntries(
    rows.map(({ slot_id, content_id, views, rewards }) => [
      `${SITE} ${slot_id} ${content_id}`,
      { views, reward: Math.round(10_000 * rewards) },
    ]),
  )
}

/** Asks for all slots until they are decided: while an aggregator is killed, nothing is. */
async function decide(anonymousId: string): Promise<SlotDecision[]> {
  return until(
    'the slots are decided',
    async () => {
      const slots = SLOTS.map(id => ({ id }))
      return ((await post('/v1/slots', { anonymousId, slots })) as { decisions: SlotDecision[] }).decisions
    },
    decisions => decisions.every(({ outcome }) => outcome === 'served'),
    PATIENCE,
  )
}

/** One visitor: sees what is shown, and clicks it where it is A. Resolves to the slots that showed A. */
async function visit(): Promise<string[]> {
  const anonymousId = `visitor-${++visitors}`
  const decisions = await decide(anonymousId)
  const events = decisions.flatMap(({ slotId, decisionId, items: [item] }) => {
    const { contentId, position } = item!
    const track = (event: string) => ({
      ...{ messageId: randomUUID(), type: 'track', event, anonymousId },
      properties: { slotId, decisionId, contentId, position },
    })
    return [track('Slot Viewed'), ...(contentId.endsWith('-a') ? [track('Slot Clicked')] : [])]
  })
  await until('the events are taken', () => post('/v1/batch', { batch: events }), Boolean)
  return decisions.flatMap(({ slotId, items }) => (items[0]!.contentId.endsWith('-a') ? [slotId] : []))
}

/** Waits until the snapshot has so many views; resolves to what it has. */
async function snapshotOf(views: number) {
  const countOf = (totals: ReturnType<typeof totalsOf>) =>
    Object.values(totals).reduce((sum, total) => sum + total.views, 0)
  const snapshot = await until(
    `a snapshot has ${views} views`,
    () => readSnapshot(broker),
    found => found !== undefined && countOf(totalsOf(found.learned)) === views,
    PATIENCE,
  )
  return snapshot!.learned
}

describe('500 visitors, of whom all click A and none B', () => {
  const shownA = new Map<string, boolean[]>(SLOTS.map(slot => [slot, []]))

  it('are shown A in more than 90 % of the last hundred visits, although the aggregator is killed twice', async () => {
    for (const [wave, size] of WAVES.entries()) {
      const visiting = Promise.all(Array.from({ length: size }, visit))
      if (wave === 2 || wave === 4) {
        await pause(200)
        await aggregator.end('SIGKILL')
        aggregator = await startLearner()
      }
      for (const slots of await visiting) for (const [slot, shown] of shownA) shown.push(slots.includes(slot))
      await pause(2_000)
    }
    const shares = Object.fromEntries(
      [...shownA].map(([slot, shown]) => [slot, shown.slice(-100).filter(Boolean).length / 100]),
    )
    for (const slot of SLOTS)
      expect(shares[slot], `share of A by ${slot}: ${JSON.stringify(shares)}`).toBeGreaterThan(0.9)
  })

  it('are shown B now and then, by the probabilities that are recorded', async () => {
    const envelopes = await readAll<DecisionEnvelope>(broker.nats, 'DECISIONS')
    const served = envelopes.flatMap(({ decisions }) => decisions).filter(({ outcome }) => outcome === 'served')
    expect(served.length).toBeGreaterThanOrEqual(SLOTS.length * visitors)
    for (const slot of SLOTS) {
      const ofSlot = served.filter(({ slotId }) => slotId === slot)
      const chances = ofSlot.map(({ candidates }) => candidates.map(({ probability }) => probability))
      for (const each of chances) expect(each.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 6)
      const least = chances.map(each => Math.min(...each))
      expect(Math.min(...least)).toBeGreaterThanOrEqual(FLOOR - 1e-6)
      expect(Math.min(...least.slice(-100))).toBeLessThan(0.05)
      // What was shown is what was drawn: B about as often as its chances say, within five standard deviations.
      const ofB = ofSlot.map(
        ({ candidates }) => candidates.find(({ contentId }) => contentId.endsWith('-b'))!.probability,
      )
      const shown = ofSlot.filter(({ contentIds }) => contentIds[0]!.endsWith('-b')).length
      const expected = ofB.reduce((sum, chance) => sum + chance, 0)
      const deviation = Math.sqrt(ofB.reduce((sum, chance) => sum + chance * (1 - chance), 0))
      expect(Math.abs(shown - expected)).toBeLessThan(5 * deviation)
    }
  })

  it('leave sums that are those of the stream from its beginning, and those of ClickHouse', async () => {
    const [learned, folded] = [await snapshotOf(SLOTS.length * visitors), await foldStreams(broker)]
    const at = Date.now()
    expect(sumsOf(learned, at)).toEqual(sumsOf(folded, at))
    const bySql = await viewsIn(
      `SELECT slot_id, content_id, countIf(viewed) AS views, countIf(clicked) AS rewards
       FROM slotstream.decision_rewards WHERE viewed GROUP BY slot_id, content_id`,
    )
    expect(totalsOf(folded)).toEqual(bySql)
    expect(await viewsIn('SELECT slot_id, content_id, views, rewards FROM slotstream.model_state')).toEqual(bySql)
  })

  it('leave content with the views and clicks that ClickHouse has, each once', async () => {
    const bySql = await viewsIn(
      `SELECT slot_id, content_id, countIf(viewed) AS views, countIf(clicked) AS rewards
       FROM slotstream.decision_rewards WHERE viewed GROUP BY slot_id, content_id`,
    )
    for (const [name, { views, reward }] of Object.entries(bySql)) {
      const [, slotId = '', contentId] = name.split(' ')
      type Reply = { features: Record<string, { value: number; slots: Record<string, number>; version?: string }> }
      const { features } = (await admin('GET', `/sites/${SITE}/content/${contentId}/features`)) as Reply
      const clicks = reward / 10_000
      expect(features.content_views).toMatchObject({ value: views, slots: { [slotId]: views } })
      expect(features.content_views_24h!.value).toBe(views)
      expect(features.content_clicks!.value).toBe(clicks)
      expect(features.content_click_rate).toEqual({ value: clicks / views, slots: { [slotId]: clicks / views } })
      expect(features.content_trend!.value).toBeGreaterThanOrEqual(0.9 * clicks)
      expect(features.content_trend!.value).toBeLessThanOrEqual(clicks + 0.01)
    }
    const unknown = (await admin('GET', `/sites/${SITE}/content/none/features`)) as { features: object }
    expect(unknown.features).toMatchObject({ content_views: { value: 0, slots: {} } })
  })

  it('leave nothing in the sums when they are deleted: others alone would have left the same', async () => {
    const stream = await readLearning()
    const gone = Array.from({ length: 6 }, (_, index) => `visitor-${11 + 37 * index}`)
    const jobs = await Promise.all(gone.map(id => admin('DELETE', `/sites/${SITE}/people/${id}`)))
    for (const { jobId } of jobs as { jobId: string }[])
      await until(
        'the deletion is done',
        () => admin('GET', `/jobs/${jobId}`) as Promise<PersonJob>,
        ({ state }) => state === 'done',
        PATIENCE,
      )
    const others = stream.filter(({ envelope }) => !gone.includes(envelope.anonymousId))
    expect(others.length).toBeLessThan(stream.length)
    const learned = await snapshotOf(SLOTS.length * (visitors - gone.length))
    // Also where all is learned anew from the stream, from which their messages are gone.
    const anew = await foldStreams(broker)
    const expected = foldEnvelopes(others)
    const at = Date.now()
    expect(sumsOf(learned, at)).toEqual(sumsOf(expected, at))
    expect(sumsOf(anew, at)).toEqual(sumsOf(expected, at))
  })
})

async function readLearning(): Promise<{ partition: number; envelope: LearningEnvelope }[]> {
  const { state } = await broker.nats.manager.streams.info('LEARNING')
  const found: { partition: number; envelope: LearningEnvelope }[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await broker.nats.manager.streams.getMessage('LEARNING', { seq })
    if (message) found.push({ partition: Number(message.subject.split('.')[1]), envelope: message.json() })
  }
  return found
}

/** Pairs of products: browsers that had to do with the one had to do with the other. */
const PAIRS = [
  ['lamp', 'bulb'],
  ['tent', 'stove'],
  // Numbers in messages, texts as ids of content.
  ['101', '102'],
  ['phone', 'case'],
  ['racket', 'balls'],
  ['brush', 'paint'],
] as const

/** Browsers of each pair. */
const EACH = 10

const BOOKS = 'books'

/** As of a browser: what only names a library is taken for a program. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'

const BY_ITEMS = ['knn', 'ease', 'covisitation'] as const

describe('60 browsers that had to do with pairs of products', () => {
  const track = (anonymousId: string, event: string, properties: object) => ({
    ...{ messageId: randomUUID(), type: 'track', event, anonymousId, properties },
  })
  /** Two products, each in another way than the pair before. */
  function messagesOf(anonymousId: string, [one, other]: (typeof PAIRS)[number], pair: number) {
    const first = track(anonymousId, 'Product Viewed', { product_id: pair === 2 ? Number(one) : one })
    if (pair === 1) return [first, track(anonymousId, 'Product Added', { sku: other })]
    if (pair === 3) {
      const order = { order_id: anonymousId, products: [{ product_id: other }, { sku: one }, {}] }
      return [first, track(anonymousId, 'Order Completed', order)]
    }
    if (pair === 4) return [first, track(anonymousId, 'Slot Clicked', { slotId: 's', contentId: other, position: 1 })]
    return [first, track(anonymousId, 'Product Viewed', { product_id: pair === 2 ? Number(other) : other })]
  }

  /** The items of each browser, as its messages say. */
  const browsers = PAIRS.flatMap(pair => Array.from({ length: EACH }, () => [...pair] as string[]))
  // What newcomers see: more browsers had to do with it than with any other.
  browsers.push(['racket'], ['racket'], ['racket'])
  /** One more, which comes by a library. */
  const counted = [...browsers, ['racket']]

  /** Sends messages of several visitors; of a bot, more than of all others. */
  async function send(): Promise<number> {
    const batch = browsers.flatMap((items, index) =>
      items.length === 2
        ? messagesOf(`browser-${index}`, PAIRS[Math.floor(index / EACH)]!, Math.floor(index / EACH))
        : [track(`browser-${index}`, 'Product Viewed', { product_id: items[0] })],
    )
    const bots = Array.from({ length: 40 }, (_, index) =>
      ['lamp', 'stove'].map(id => track(`bot-${index}`, 'Product Viewed', { product_id: id })),
    ).flat()
    await call('POST', '/v1/batch', { batch, writeKey: BOOKS }, `Basic ${btoa(`${BOOKS}:`)}`, BROWSER)
    await call('POST', '/v1/batch', { batch: bots, writeKey: BOOKS }, `Basic ${btoa(`${BOOKS}:`)}`, BOT)
    // Browsers that turn a hundred pages in no time, which no person does; and a library, which may read for one.
    const fast = Array.from({ length: 3 }, (_, index) => [
      ...Array.from({ length: 100 }, () => ({ ...track(`fast-${index}`, '', {}), type: 'page', event: undefined })),
      ...['lamp', 'stove'].map(id => track(`fast-${index}`, 'Product Viewed', { product_id: id })),
    ]).flat()
    await call('POST', '/v1/batch', { batch: fast, writeKey: BOOKS }, `Basic ${btoa(`${BOOKS}:`)}`, BROWSER)
    const library = [track('library', 'Product Viewed', { product_id: 'racket' })]
    await call('POST', '/v1/batch', { batch: library, writeKey: BOOKS }, `Basic ${btoa(`${BOOKS}:`)}`, 'curl/8.5.0')
    return batch.length + bots.length + fast.length + library.length
  }

  let newcomers = 0
  /** Resolves to what a newcomer is shown who views one product, or none, and asks at once. */
  async function shownTo(product: string | undefined, slot: string): Promise<string> {
    const anonymousId = `newcomer-${++newcomers}`
    const product_id = product === '101' ? 101 : product
    const batch = product === undefined ? [] : [track(anonymousId, 'Product Viewed', { product_id })]
    const body = { anonymousId, slots: [{ id: slot }], batch, writeKey: BOOKS }
    const { decisions } = (await call('POST', '/v1/slots', body, `Basic ${btoa(`${BOOKS}:`)}`, BROWSER)) as {
      decisions: SlotDecision[]
    }
    return decisions[0]!.items[0]?.contentId ?? decisions[0]!.outcome
  }

  async function expectPartners(): Promise<void> {
    for (const slot of BY_ITEMS) {
      for (const [one, other] of PAIRS) expect([slot, one, await shownTo(one, slot)]).toEqual([slot, one, other])
      expect([slot, await shownTo(undefined, slot)]).toEqual([slot, 'racket'])
    }
  }

  it('are counted by what they had to do with, and bots are not', async () => {
    await putSite(collector, BOOKS)
    const sent = await send()
    const { clickhouse: url } = await warehouse
    await until(
      'the messages are rows',
      async () => {
        const body = `SELECT count() FROM slotstream.events WHERE site_id = '${BOOKS}'`
        return Number(await (await fetch(url, { method: 'POST', body })).text())
      },
      rows => rows === sent,
      PATIENCE,
    )
    const client = openClickHouse({ url, username: 'slotstream', password: PASSWORD }, 'test', { timeoutMs: 60_000 })
    try {
      const question = { siteId: BOOKS, since: Date.now() - 3_600_000 }
      const { ids, rows } = await readFrequentItems(client, question)
      expect([...ids.keys()][0]).toBe('racket')
      expect([...ids.keys()].sort()).toEqual(PAIRS.flat().sort())
      const read: string[] = []
      // In three parts, as millions of rows are.
      for await (const items of readBrowsers(client, question, rows, Math.ceil(rows / 3)))
        read.push(items.sort().join())
      expect(read.sort()).toEqual(counted.map(items => [...items].sort().join()).sort())
      const all: string[] = []
      for await (const items of readBrowsers(client, { ...question, includesBots: true }, rows))
        all.push(items.sort().join())
      expect(all).toHaveLength(counted.length + 40 + 3)
      expect((await readFrequentItems(client, { ...question, since: Date.now() + 60_000 })).ids.size).toBe(0)
    } finally {
      await client.close()
    }
  })

  it('make slots by items show a newcomer with one view the partner, and others what most have', async () => {
    await admin('POST', `/sites/${BOOKS}/catalog`, {
      slots: BY_ITEMS.map(type => ({
        id: type,
        exploration: { atLeast: 0 },
        policy: type === 'covisitation' ? { type: 'ensemble', policies: [{ share: 1, policy: { type } }] } : { type },
      })),
      content: PAIRS.flat().map(id => ({ id, slots: [...BY_ITEMS], category: 'all', payload: { id } })),
    })
    await until(
      'the matrices are loaded',
      async () => /^slotstream_item_models (\d+)$/m.exec(await (await fetch(`${aggregator.url}/metrics`)).text())?.[1],
      models => models === String(BY_ITEMS.length),
      PATIENCE,
    )
    await expectPartners()
  })

  it('have matrices in the bucket that are what is fitted to their items', async () => {
    const store = createItemStore(broker.nats, broker.installation.buckets.itemModels, createLog('test'))
    const manifest = (await store.readManifests()).get(BOOKS)!
    expect(manifest).toMatchObject({ browsers: counted.length, items: PAIRS.flat().length })
    const ids = (await store.readMatrix(BOOKS, manifest, 'knn'))!.ids as Map<string, number>
    const gram = gramOfUsers(
      counted.map(items => items.map(item => ids.get(item)!)),
      ids,
    )
    for (const [type, fit] of Object.entries({ knn: knnModel, ease: easeModel, covisitation: covisitationModel })) {
      const { weights, popularity } = (await store.readMatrix(BOOKS, manifest, type as ItemPolicy))!
      const model = fit(gram)
      expect(popularity).toEqual(model.popularity)
      expect(weights).toEqual(Float32Array.from(model.weights))
    }
  })

  it('are remembered while ClickHouse is down, also by a process that starts then', async () => {
    const { program, process } = await warehouse
    await stopClickHouse(process, 'SIGKILL')
    await expectPartners()
    await program.end('SIGKILL')
    await aggregator.end('SIGKILL')
    aggregator = await startLearner()
    await until(
      'the matrices are loaded',
      async () => /^slotstream_item_models (\d+)$/m.exec(await (await fetch(`${aggregator.url}/metrics`)).text())?.[1],
      models => models === String(BY_ITEMS.length),
      PATIENCE,
    )
    await expectPartners()
  })
})
