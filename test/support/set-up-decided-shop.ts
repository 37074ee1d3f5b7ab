import { startDecisions, startProfiles } from '@slotstream/aggregator'
import { type Explanation, recompute } from '@slotstream/core'
import {
  type DecideReply,
  type DecideRequest,
  type DecisionEnvelope,
  type DecisionRecord,
  decideSubject,
  type EventEnvelope,
  keyToken,
  POLICY_TYPES,
  partitionOf,
  type StoredMessage,
  streamSubject,
} from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, expect } from 'vitest'
import { answerContentsThen } from '#aggregator/records/answer-contents-then.js'
import { answerRecords } from '#aggregator/records/answer-records.js'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { startClickHouse } from '../integration/warehouse-world.js'
import { ADMIN_TOKEN, putSite } from './collector.js'
import { startNatsServer } from './nats-server.js'
import { someIdentity } from './some-identity.js'
import { until } from './until.js'
import { startWarehouseCollector } from './warehouse-collector.js'

export const SITE = 'shop'

/** A policy of every type, for slots of two positions. */
export const POLICIES = ['default', ...POLICY_TYPES].map(type => ({
  type,
  ...(type === 'fixed' && { contentIds: ['r', 'p', 'q'] }),
  ...(type === 'affinity' && { exploration: 0.1 }),
  ...(type === 'ensemble' && { policies: [{ share: 1, policy: { type: 'contextual' } }] }),
}))

export const log = createLog('test')
log.level = 'silent'

/** The processes of a shop that decides, and stores what it decided in tables. */
export interface DecidedShop {
  nats: Awaited<ReturnType<typeof connectNats>>
  publisher: ReturnType<typeof createPublisher>
  installation: Awaited<ReturnType<typeof provision>>
  metrics: ReturnType<typeof createMetrics>
  profiles: Awaited<ReturnType<typeof startProfiles>>
  decisions: Awaited<ReturnType<typeof startDecisions>>
  clickhouse: Awaited<ReturnType<typeof startClickHouse>>
  collector: Awaited<ReturnType<typeof startWarehouseCollector>>
  contentsThen: ReturnType<typeof answerContentsThen>
}

/** An explanation as the admin API answers it. */
export interface Explained extends Explanation {
  decision: DecisionRecord
  error?: { code: string; message: string }
  status: number
}

/**
 * Starts a shop with targeting, caps and campaigns for the tests of a file.
 *
 * @param onStart is called with it before the first test. A test that replaces one of its processes sets it there
 */
export function setUpDecidedShop(onStart: (shop: DecidedShop) => void) {
  let shop: DecidedShop
  const stops: (() => unknown)[] = []

  beforeAll(async () => {
    const starting = startClickHouse()
    const server = await startNatsServer()
    stops.push(() => server.stop())
    const nats = await connectNats(server.url, 'test', log)
    stops.push(() => nats.close())
    const installation = await provision(nats, sharedSettings({}), log)
    await putCatalog(installation)
    const metrics = createMetrics()
    const publisher = createPublisher(nats)
    stops.push(() => publisher.close())
    const parts = { nats, publisher, installation, metrics, log }
    const profiles = await startProfiles({ ...parts, identity: someIdentity() })
    stops.push(() => profiles.stop())
    const decisions = await startDecisions({ ...parts, profiles })
    stops.push(() => (shop?.decisions ?? decisions).stop())
    await until(
      'the profiles are up to date',
      () => profiles.missing(),
      missing => missing.length === 0,
    )
    const clickhouse = await starting
    stops.push(() => clickhouse.stop())
    const warehouse = startWarehouse({ ...parts, clickhouse: clickhouse.account, identity: someIdentity() })
    stops.push(() => warehouse.stop())
    const records = answerRecords({ nats, server: clickhouse.account, log })
    const contentsThen = answerContentsThen({ nats, server: clickhouse.account, log })
    stops.push(
      () => (shop?.contentsThen ?? contentsThen).stop(),
      () => records.stop(),
    )
    const collector = await startWarehouseCollector({ nats, installation, log })
    stops.push(() => collector.stop())
    shop = { ...parts, profiles, decisions, clickhouse, collector, contentsThen }
    for (const site of [SITE, 'other']) await putSite(collector.url, site)
    await until(
      'tables are loaded',
      () => warehouse.missing(),
      missing => missing.length === 0,
    )
    await nats.connection.flush()
    onStart(shop)
  })

  afterAll(async () => {
    for (const stop of stops.reverse()) await stop()
  })

  const put = (kind: 'slot' | 'content', id: string, fields: object) => putEntry(shop.installation, kind, id, fields)

  /** Asks for decisions, with explanations. */
  async function ask(
    visitorId: string,
    slots: string[],
    context: Record<string, unknown> = {},
    siteId = SITE,
  ): Promise<DecideReply> {
    const request: DecideRequest = {
      siteId,
      visitorId,
      anonymousId: visitorId,
      slots: slots.map(id => ({ id })),
      context: { sessionId: 's1', ...context },
      after: 0,
      deadlineMs: 5_000,
      explain: true,
    }
    const partition = partitionOf(siteId, visitorId, shop.installation.partitions)
    const body = JSON.stringify(request)
    return (await shop.nats.connection.request(decideSubject(partition), body, { timeout: 10_000 })).json<DecideReply>()
  }

  /** Reads what a stream holds of a visitor, oldest first. */
  async function stored<T extends { visitorId: string }>(stream: string, visitorId: string): Promise<T[]> {
    const { state } = await shop.nats.manager.streams.info(stream)
    const found: T[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const envelope = (await shop.nats.manager.streams.getMessage(stream, { seq }))?.json<T>()
      if (envelope?.visitorId === visitorId) found.push(envelope)
    }
    return found
  }

  /** Reads the records of a visitor's decisions, oldest first. */
  const recordsOf = async (visitorId: string): Promise<DecisionRecord[]> =>
    (await stored<DecisionEnvelope>('DECISIONS', visitorId)).flatMap(envelope => envelope.decisions)

  /** Publishes a message as a collector does. Resolves when the visitor's profile has it. */
  async function track(visitorId: string, message: Partial<StoredMessage>): Promise<void> {
    const now = new Date().toISOString()
    const messageId = `${visitorId}-${message.event ?? message.type}-${now}`
    const whole = { messageId, type: 'track' as const, anonymousId: visitorId, timestamp: now, ...message }
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt: now, messages: [whole] }
    const partition = partitionOf(SITE, visitorId, shop.installation.partitions)
    const { seq } = await shop.nats.js.publish(streamSubject('events', partition), JSON.stringify(envelope))
    expect(await shop.profiles.waitFor(partition, seq, 5_000)).toBe(true)
  }

  /** Reads the explanation of a decision from the admin API. */
  async function explain(id: string, query = `?site=${SITE}`, token = ADMIN_TOKEN): Promise<Explained> {
    const path = `/v1/admin/decisions/${encodeURIComponent(id)}/explain${query}`
    const response = await fetch(`${shop.collector.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
    expect(response.headers.get('content-type')).toContain('application/json')
    return { ...((await response.json()) as Explained), status: response.status }
  }

  /** Explains the latest decisions of a visitor, and holds what is read from the table against what was recorded. */
  async function explained(visitorId: string, count: number): Promise<Explained[]> {
    const answers: Explained[] = []
    // One after the other: only so many are read at a time.
    for (const record of (await recordsOf(visitorId)).slice(-count)) {
      const answer = await explain(record.decisionId)
      expect(answer).toMatchObject({ status: 200, reproduced: true })
      const { draw, contentIds, propensities, candidates, excluded, seed, ghost } = record
      expect(answer.decision).toMatchObject({ draw, contentIds, propensities, candidates, excluded, seed })
      expect(answer.decision.ghost).toEqual(ghost)
      expect(recompute(answer.decision)).toEqual(recompute(record))
      answers.push(answer)
    }
    return answers
  }

  return { put, ask, stored, recordsOf, track, explain, explained }
}

/** @returns the ids of the contents shown in each slot */
export const shownIn = ({ decisions: all }: DecideReply) =>
  all.map(({ items }) => items.map(({ contentId }) => contentId))

type Installation = DecidedShop['installation']

function putEntry({ buckets }: Installation, kind: 'slot' | 'content', id: string, fields: object) {
  const entry = { id, ...(kind === 'content' && { payload: { title: id } }), ...fields }
  return buckets.catalog.put(`${SITE}.${kind}.${keyToken(id)}`, JSON.stringify(entry))
}

/** Puts slots of every policy, and content with conditions, stock, times and caps. */
async function putCatalog(installation: Installation): Promise<void> {
  const put = (kind: 'slot' | 'content', id: string, fields: object) => putEntry(installation, kind, id, fields)
  await put('slot', 'hero', { policy: { type: 'random' } })
  await put('slot', 'teaser', { policy: { type: 'random' }, count: 2 })
  await put('slot', 'capped', { policy: { type: 'fixed', contentIds: ['offer', 'else'] } })
  await put('slot', 'learns', { policy: { type: 'contextual' }, count: 2 })
  await put('slot', 'held', { policy: { type: 'random' }, holdout: 1 })
  await put('slot', 'many', { policy: { type: 'random' }, count: 2 })
  for (const id of ['one', 'two', 'three']) await put('content', id, { slots: ['hero', 'teaser', 'learns', 'held'] })
  for (const policy of POLICIES)
    await put('slot', `by-${policy.type}`, { count: 2, ...(policy.type !== 'default' && { policy }) })
  const typed = POLICIES.map(({ type }) => `by-${type}`)
  for (const id of ['p', 'q', 'r']) await put('content', id, { category: id, slots: typed })
  for (let n = 10; n < 40; n++) await put('content', `m${n}`, { slots: ['many'] })
  await put('content', 'far', { slots: ['hero'], where: { 'context.country': 'DE' } })
  await put('content', 'sold', { slots: ['hero'], stock: 0 })
  await put('content', 'past', { slots: ['hero'], endsAt: '2020-01-01T00:00:00Z' })
  await put('content', 'offer', { slots: ['capped'], caps: [{ count: 3, per: '24h' }] })
  await put('content', 'else', { slots: ['capped'] })
}
