import { randomUUID } from 'node:crypto'
import {
  type EventEnvelope,
  type LearningEnvelope,
  type LearningRecord,
  type PersonJob,
  parseLearningEnvelope,
  parseStored,
  partitionOf,
  type ServedDecision,
  streamSubject,
  visitorIdOf,
} from '@slotstream/protocol'
import { createLog, type Nats, readStream, readWhole } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { replayedStreams } from '../support/profiles-of-stream.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const SITE = 'demo'
const ONE = 10_000

const log = createLog('test')
log.level = 'silent'

/** What a model is a function of: how often each outcome was added, by all that it is made of. None is 0. */
type Outcomes = Map<string, number>

function addTo(outcomes: Outcomes, record: LearningRecord, sign: 1 | -1): void {
  const { slotId, contentId, position, at, segments, features, reward, previous, stratum, previousStratum } = record
  const add = (earned: number, lost: number | undefined, count: number) => {
    const key = JSON.stringify({ slotId, contentId, position, at, segments, features, earned, lost })
    const sum = (outcomes.get(key) ?? 0) + count
    if (sum === 0) outcomes.delete(key)
    else outcomes.set(key, sum)
  }
  add(reward, stratum, sign)
  if (previous !== undefined) add(previous, previousStratum, -sign)
}

const sorted = (outcomes: Outcomes) => [...outcomes].sort()

/**
 * Reads the stream of learning records from its beginning on, as roles that learn do: each message and removal once.
 */
function startLearner(nats: Nats) {
  const messages = new Map<string, LearningEnvelope>()
  const outcomes: Outcomes = new Map()
  let removals = 0
  let repeats = 0
  const reader = readStream(nats, 'LEARNING', { from: 1, log })
  const reading = (async () => {
    for await (const message of reader) {
      const parsed = parseStored(message.data, parseLearningEnvelope)
      if (!parsed.ok) throw new Error(parsed.reason)
      const { seq, removal, records } = parsed.value
      const id = removal ?? `${message.subject} ${seq}`
      if (messages.has(id)) {
        repeats++
        continue
      }
      messages.set(id, parsed.value)
      if (removal !== undefined) removals++
      for (const record of records) addTo(outcomes, record, removal === undefined ? 1 : -1)
    }
  })()
  return {
    outcomes,
    /** Records as they were added. */
    added: () => [...messages.values()].filter(({ removal }) => removal === undefined),
    get removals() {
      return removals
    },
    get repeats() {
      return repeats
    },
    async stop() {
      await reader.stop()
      await reading
    },
  }
}

describe('what comes of decisions', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let clickhouse: ClickHouse
  let collectorUrl: string
  let aggregator: Aggregator
  let learner: ReturnType<typeof startLearner>

  beforeAll(async () => {
    ;[broker, clickhouse] = await Promise.all([startBroker(), startClickHouse()])
    collectorUrl = await broker.collector()
    await putSite(collectorUrl, SITE)
    aggregator = await start()
    learner = startLearner(broker.nats)
  })
  afterAll(async () => {
    await learner?.stop()
    await aggregator?.end('SIGKILL')
    await broker?.stop()
    await clickhouse?.stop()
  })

  function start(): Promise<Aggregator> {
    const { url, username, password } = clickhouse.account
    const server = { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
    return startAggregator({ NATS_URL: broker.url, ...server, AGGREGATOR_NAME: 'one' })
  }

  async function restart(): Promise<void> {
    await aggregator.end('SIGKILL')
    aggregator = await start()
  }

  async function query<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
    const result = await clickhouse.client.query({ query: sql, format: 'JSONEachRow' })
    return result.json<Row>()
  }

  async function admin<T>(method: string, path: string): Promise<T> {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
    const response = await fetch(`${collectorUrl}/v1/admin${path}`, { method, headers })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  /** Tells the visitor's profile of a decision, as the owner of its partition does when it has decided. */
  async function serve(anonymousId: string, fields: Partial<ServedDecision> = {}): Promise<string> {
    const decisionId = randomUUID()
    const at = Date.now()
    const decision: ServedDecision = {
      ...{ decisionId, slotId: 'hero', at, sessionId: 's', segments: ['vip'] },
      items: [
        { contentId: 'tent', position: 1, features: [3, 1, 4, -2] },
        { contentId: 'boots', position: 2, features: [5, 7] },
      ],
      rewards: [
        { event: 'Slot Clicked', windowHours: 24 },
        { event: 'Order Completed', windowHours: 24, value: 'properties.revenue' },
      ],
      ...fields,
    }
    const visitorId = visitorIdOf({ anonymousId })
    const receivedAt = new Date(at).toISOString()
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt, served: [decision], messages: [] }
    const subject = streamSubject('events', partitionOf(SITE, visitorId, broker.installation.partitions))
    await broker.nats.js.publish(subject, JSON.stringify(envelope))
    return decisionId
  }

  async function send(...messages: object[]): Promise<void> {
    const timestamp = new Date().toISOString()
    const batch = messages.map(message => ({ messageId: randomUUID(), type: 'track', timestamp, ...message }))
    const response = await fetch(`${collectorUrl}/v1/batch?writeKey=${SITE}`, {
      method: 'POST',
      body: JSON.stringify({ batch, sentAt: timestamp }),
    })
    expect(await response.json()).toMatchObject({ accepted: messages.length })
  }

  const respond = (anonymousId: string, event: string, decisionId: string, contentId = 'tent', context = {}) =>
    send({ anonymousId, event, properties: { slotId: 'hero', decisionId, contentId }, context })

  const rows = () =>
    query<{ decision: string; content: string; steps: number; reward: number }>(
      `SELECT decision_id AS decision, content_id AS content, toUInt32(count()) AS steps,
              toInt32(sum(reward - ifNull(previous, 0))) AS reward
       FROM slotstream.learning_outcomes GROUP BY decision, content ORDER BY decision, content`,
    )

  it('is told once and loaded once, also where an aggregator is killed meanwhile', async () => {
    const visitors = Array.from({ length: 40 }, (_, n) => `killed-${n}`)
    const decisionIds = new Map<string, string>()
    for (const visitor of visitors) {
      const decisionId = await serve(visitor)
      decisionIds.set(visitor, decisionId)
      await respond(visitor, 'Slot Viewed', decisionId)
    }
    await restart()
    for (const visitor of visitors) await respond(visitor, 'Slot Clicked', decisionIds.get(visitor)!)
    await restart()
    const order = (anonymousId: string) =>
      send({ anonymousId, event: 'Order Completed', properties: { order_id: `o-${anonymousId}`, revenue: 2.5 } })
    for (const visitor of visitors) await order(visitor)
    // The same order once more, in a message of its own.
    for (const visitor of visitors) await order(visitor)
    const expected = visitors
      .map(visitor => ({ decision: decisionIds.get(visitor)!, content: 'tent', reward: 3.5 * ONE }))
      .sort((a, b) => (a.decision < b.decision ? -1 : 1))
    const found = await until(
      'the rows',
      rows,
      all => all.length === visitors.length && all.every(({ reward }) => reward === 3.5 * ONE),
      { timeoutMs: 60_000 },
    )
    expect(found).toMatchObject(expected)
    // As the stream gives it when it is applied from its beginning.
    const { learning } = await replayedStreams(broker.nats, broker.installation)
    const replayed: Outcomes = new Map()
    for (const { records } of learning) for (const record of records) addTo(replayed, record, 1)
    await until(
      'the learner has them',
      () => sorted(learner.outcomes),
      outcomes => JSON.stringify(outcomes) === JSON.stringify(sorted(replayed)),
    )
    const steps = learning.reduce((sum, { records }) => sum + records.length, 0)
    expect(found.reduce((sum, row) => sum + row.steps, 0)).toBe(steps)
    console.log(
      `${steps} steps of ${learner.added().length} messages, ${learner.repeats} of which were published again`,
    )
  })

  it('is added up by slot and content', async () => {
    const decisionId = await serve('viewer', { slotId: 'side', rewards: [{ event: 'Slot Clicked', windowHours: 1 }] })
    await respond('viewer', 'Slot Viewed', decisionId, 'tent')
    await respond('viewer', 'Slot Viewed', decisionId, 'boots')
    await respond('viewer', 'Slot Clicked', decisionId, 'boots')
    const state = await until(
      'the state',
      () =>
        query(
          `SELECT content_id, toUInt32(views) AS views, rewards, mean, first_at <= last_at AS ordered
           FROM slotstream.model_state WHERE slot_id = 'side' ORDER BY content_id`,
        ),
      ([boots, tent]) => boots?.rewards === 1 && tent !== undefined,
    )
    expect(state).toEqual([
      { content_id: 'boots', views: 1, rewards: 1, mean: 1, ordered: 1 },
      { content_id: 'tent', views: 1, rewards: 0, mean: 0, ordered: 1 },
    ])
  })

  it('comes of what a server says of the user, too', async () => {
    const rewards = [{ event: 'Plan Bought', value: 'properties.revenue', windowHours: 24 }]
    await broker.installation.buckets.catalog.put('demo.slot.plans', JSON.stringify({ id: 'plans', rewards }))
    await send({ anonymousId: 'buyer', userId: 'buyer-1', type: 'identify' })
    const decisionId = await serve('buyer', { slotId: 'plans', rewards })
    await respond('buyer', 'Slot Viewed', decisionId)
    await until(
      'the user has the browser',
      () => admin<{ merges: object[] }>('GET', `/sites/${SITE}/people/buyer-1/merges?as=userId`),
      ({ merges }) => merges.length > 0,
    )
    await send({ userId: 'buyer-1', event: 'Plan Bought', properties: { revenue: 9 } })
    await until('the row', rows, all => all.some(row => row.decision === decisionId && row.reward === 9 * ONE))
  })

  it('of a deleted person is taken away without a trace', async () => {
    const [person, browser] = [`person-${randomUUID()}`, `browser-${randomUUID()}`]
    await send({ anonymousId: browser, userId: person, type: 'identify' })
    // Of the browser's messages the third and fourth never come: the first click is told three times, as more come.
    for (const [slotId, ...numbers] of [['hero', 1, 2, 5] as const, ['side', 6, 7, 8] as const]) {
      const decisionId = await serve(browser, { slotId })
      await respond(browser, 'Slot Viewed', decisionId, 'tent', { seq: numbers[0], sessionId: 's' })
      await respond(browser, 'Slot Viewed', decisionId, 'boots', { seq: numbers[1], sessionId: 's' })
      await respond(browser, 'Slot Clicked', decisionId, 'boots', { seq: numbers[2], sessionId: 's' })
    }
    const theirs = () => learner.added().filter(({ anonymousId }) => anonymousId === browser)
    const count = `SELECT toUInt32(count()) AS rows FROM slotstream.learning_outcomes WHERE anonymous_id = '${browser}'`
    await until(
      'the rows',
      () => query(count),
      ([found]) => found?.rows === 8,
    )
    const strata = 'SELECT previous_stratum, stratum FROM slotstream.learning_outcomes'
    const told = await query(
      `${strata} WHERE anonymous_id = '${browser}' AND reward != 0 ORDER BY received_at, slot_id`,
    )
    expect(told.map(Object.values)).toEqual([
      [0, 6],
      [6, 5],
      [5, 4],
      [0, 4],
    ])
    const { jobId } = await admin<{ jobId: string }>('DELETE', `/sites/${SITE}/people/${person}`)
    const jobIs = (what: string, isRight: (job: PersonJob) => boolean) =>
      until(what, () => admin<PersonJob>('GET', `/jobs/${jobId}`), isRight, { timeoutMs: 60_000, everyMs: 5 })
    // Begun again, it takes nothing away twice.
    await jobIs('the deletion has begun', ({ step, state }) => step === 'streams' || state !== 'running')
    await restart()
    expect(await jobIs('the deletion', ({ state }) => state !== 'running')).toMatchObject({ state: 'done' })

    const without: Outcomes = new Map()
    for (const { anonymousId, records } of learner.added())
      if (anonymousId !== browser) for (const record of records) addTo(without, record, 1)
    await until(
      'the learner is without them',
      () => sorted(learner.outcomes),
      outcomes => JSON.stringify(outcomes) === JSON.stringify(sorted(without)),
    )
    expect(theirs().flatMap(({ records }) => records)).toHaveLength(8)
    // Eight steps, and what their six messages added to the features of content.
    expect(learner.removals).toBe(8 + 6)
    expect(await query(count)).toEqual([{ rows: 0 }])
    const decisionIds = theirs().flatMap(({ records }) => records.map(({ decisionId }) => decisionId))
    for await (const message of readWhole(broker.nats, 'LEARNING', log))
      for (const id of [person, browser, ...decisionIds]) expect(message.string()).not.toContain(id)
  })
})
