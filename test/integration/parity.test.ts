import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createCollector } from '@slotstream/collector'
import { BUILT_IN_FEATURES, DEFAULT_FEATURES, featureValues } from '@slotstream/core'
import {
  type EventEnvelope,
  type FeatureDefinition,
  nightKey,
  type PatternDefinition,
  type Profile,
  partitionOf,
  profileKey,
  streamSubject,
  type ValueHistory,
} from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNightly } from '#aggregator/batch/nightly.js'
import { createParityJob } from '#aggregator/batch/parity-job.js'
import type { ParityReport } from '#aggregator/parity/report.js'
import { startProfiles } from '#aggregator/profiles/role.js'
import { answerHistories } from '#aggregator/value-history/answer-histories.js'
import { readHistory } from '#aggregator/value-history/read-history.js'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { readClickstream } from '../support/clickstream.js'
import { ADMIN_TOKEN } from '../support/collector.js'
import { lastEvent } from '../support/last-event.js'
import { shopHistory } from '../support/shop-history.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, type World } from './warehouse-world.js'

const SITE = 'demo'
const PROGRAM = fileURLToPath(new URL('../../aggregator/dist/commands/parity/main.js', import.meta.url))
const CLICKS = 'clicks'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Features that are declared when half of the messages were applied: they count from there. */
const DECLARED: FeatureDefinition[] = [
  { name: 'seen', source: { event: 'Product Viewed' }, by: 'properties.category', aggregate: 'count' },
  { name: 'spent_1d', source: { event: 'Order Completed' }, value: 'properties.total', aggregate: 'sum', window: '1d' },
  {
    name: 'dear',
    source: { event: 'Product Viewed', where: { 'properties.price': { $gt: 50 } } },
    aggregate: 'exists',
  },
  { name: 'dates', source: { event: 'Element Clicked' }, value: 'properties.at', aggregate: 'unique' },
  { name: 'lists', source: { event: 'Element Clicked' }, value: 'properties.nested', aggregate: 'sum' },
]

let clickhouse: ClickHouse
let world: World
let aggregator: Awaited<ReturnType<typeof startAggregator>>

beforeAll(async () => {
  clickhouse = await startClickHouse()
  world = await createWorld(clickhouse, { EVENTS_STREAMS: '2' })
  const { buckets } = world.installation
  await buckets.sites.put(SITE, JSON.stringify({ siteId: SITE, name: 'Demo', writeKeys: [], allowedOrigins: [] }))
  await buckets.definitions.put(`${CLICKS}.patterns`, JSON.stringify({ items: STEPS }))
  aggregator = await startAggregator()
  const history = shopHistory(20261129, Date.now() - 3_000, 400)
  const half = history.length / 2
  await publish(history.slice(0, half))
  await untilApplied()
  await buckets.definitions.put(`${SITE}.features`, JSON.stringify({ items: DECLARED }))
  // A new definition counts within a second.
  await new Promise(resolve => setTimeout(resolve, 1_000))
  await publish(history.slice(half))
  await undo('b4', 'u4')
  await alias('newu', 'b7')
  await publish(clickstream ?? [])
  await untilApplied()
})
afterAll(async () => {
  await aggregator?.stop()
  await world?.stop()
  await clickhouse?.stop()
})

async function startAggregator() {
  const { nats, publisher, installation, log } = world
  const parts = { nats, publisher, installation, metrics: createMetrics(), log, identity: someIdentity() }
  const profiles = await startProfiles(parts)
  const warehouse = startWarehouse({ ...parts, clickhouse: clickhouse.account })
  return {
    profiles,
    async stop() {
      await Promise.all([profiles.stop(), warehouse.stop()])
    },
  }
}

const partitionFor = (visitorId: string, siteId = SITE) => partitionOf(siteId, visitorId, world.installation.partitions)

/** Publishes envelopes in their order, a hundred at a time. */
async function publish(envelopes: EventEnvelope[]) {
  const subjectOf = ({ visitorId, siteId }: EventEnvelope) => streamSubject('events', partitionFor(visitorId, siteId))
  for (let first = 0; first < envelopes.length; first += 100)
    await Promise.all(
      envelopes
        .slice(first, first + 100)
        .map(envelope => world.publisher.publish(subjectOf(envelope), JSON.stringify(envelope))),
    )
}

/** Takes a browser and a user apart, on both sides. */
async function undo(anonymousId: string, userId: string) {
  const receivedAt = new Date().toISOString()
  const identity = [{ anonymousId, userId, decision: { state: 'undone', at: Date.now(), cause: 'a test' } as const }]
  await publish(
    [anonymousId, `user:${userId}`].map(visitorId => ({ siteId: SITE, visitorId, receivedAt, identity, messages: [] })),
  )
}

/** A server says of a browser whose it is. */
async function alias(userId: string, previousId: string) {
  const at = new Date(Date.now() - 3_000).toISOString()
  const message = { messageId: 'alias', type: 'alias' as const, userId, previousId, timestamp: at, context: {} }
  await publish([
    {
      siteId: SITE,
      visitorId: `user:${userId}`,
      receivedAt: at,
      sender: 'secret',
      messages: [message],
    } as EventEnvelope,
  ])
}

async function untilApplied() {
  for (let partition = 0; partition < world.installation.partitions; partition++) {
    const last = await lastEvent(world.nats, partition)
    await until('it is applied', () => aggregator.profiles.waitFor(partition, last, 1_000), Boolean)
  }
}

/** Runs the command as an operator does. */
async function run(...args: string[]) {
  const { url, username, password } = clickhouse.account
  const child = spawn(process.execPath, [PROGRAM, '--site', SITE, ...args], {
    env: {
      PATH: process.env.PATH,
      NATS_URL: world.url,
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
    },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => (stdout += String(chunk)))
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, stdout, stderr }
}

const reportOf = ({ stdout, stderr }: { stdout: string; stderr: string }): ParityReport => {
  expect(stdout, stderr).toMatch(/^\{/)
  return JSON.parse(stdout) as ParityReport
}

const featureIn = ({ features }: ParityReport, name: string) => features.find(({ feature }) => feature === name)!

async function storedProfile(visitorId: string): Promise<{ key: string; profile: Profile }> {
  const { partitions, privacy, buckets } = world.installation
  const key = profileKey(privacy.keyed, { siteId: SITE, visitorId }, partitions)
  return { key, profile: (await buckets.profiles.get(key))!.json<Profile>() }
}

/** Features of each user of the clickstream, by SQL that knows nothing of how features are counted. */
const BY_USER = `
WITH users AS (
  SELECT anonymous_id AS user, max(timestamp) AS latest FROM slotstream.events WHERE site_id = '${CLICKS}' GROUP BY user
), rows AS (
  SELECT
    users.user AS user, event, timestamp AS time, message_id AS id, session_id AS session, type = 'page' AS is_page,
    toUnixTimestamp64Milli(timestamp) AS ms, toUnixTimestamp64Milli(users.latest) + ${10 * MINUTE} AS at,
    toString(properties.category) AS category, toString(properties.order_id) AS order_id,
    toString(properties.currency) AS currency, toFloat64OrZero(toString(properties.total)) AS total,
    toString(context.device.type) AS appliance, toString(context.traffic.channel) AS via,
    multiIf(type = 'page', 0.5, event = 'Product Viewed', 1, event = 'Product Added', 3, 0) AS weight
  FROM slotstream.events INNER JOIN users ON anonymous_id = users.user WHERE site_id = '${CLICKS}'
), running AS (
  SELECT user, argMax(session, (ms, session)) AS session FROM rows GROUP BY user
)
SELECT
  rows.user AS user, any(rows.at) AS taken_at,
  countIf(is_page) AS page_views,
  countIf(is_page AND ms > intDiv(at - 86400000, 1440000) * 1440000) AS page_views_24h,
  countIf(is_page AND rows.session = running.session) AS session_page_views,
  maxIf(ms, rows.session = running.session) - minIf(ms, rows.session = running.session) AS session_duration,
  uniqExactIf(order_id, event = 'Order Completed') AS orders,
  if(orders = 0, NULL, taken_at - maxIf(ms, event = 'Order Completed')) AS since_order,
  sumMapIf(map(currency, total), event = 'Order Completed') AS revenue,
  sumMapIf(map(category, weight * exp2(-(rows.at - ms) / 604800000)), category != '' AND weight > 0) AS category_affinity,
  argMin(via, (ms, id)) AS first_channel, argMax(via, (ms, id)) AS channel, argMax(appliance, (ms, id)) AS device,
  uniqExactIf(toDate(time), ms > intDiv(at - 2592000000, 43200000) * 43200000) AS active_days_30d,
  uniqExact(rows.session) AS sessions
FROM rows INNER JOIN running ON rows.user = running.user GROUP BY user ORDER BY user
SETTINGS output_format_json_quote_64bit_integers = 0`

/** How far each user came within an hour: 1 saw a product, 2 put one into the cart as well, 3 ordered. */
const FUNNEL = `
SELECT anonymous_id AS user,
  windowFunnel(3599999000)(
    toUInt64(toUnixTimestamp64Milli(timestamp)) * 1000 + batch_index % 1000,
    event = 'Product Viewed', event = 'Product Added', event = 'Order Completed') AS step
FROM slotstream.events WHERE site_id = '${CLICKS}' GROUP BY user`

const STEPS: PatternDefinition[] = [
  { name: 'to-cart', sequence: [{ event: 'Product Viewed' }, { event: 'Product Added' }], within: '1h' },
  {
    name: 'to-order',
    sequence: [{ event: 'Product Viewed' }, { event: 'Product Added' }, { event: 'Order Completed' }],
    within: '1h',
  },
]

const clickstream = readClickstream(CLICKS, 4)
if (!clickstream) console.warn('The public clickstream is not checked: ../shared/data/ecom-clickstream is not there')

describe.skipIf(!clickstream)('a public clickstream', () => {
  const visitors = [...new Set(clickstream?.map(({ visitorId }) => visitorId))]
  const messages = clickstream?.reduce((sum, envelope) => sum + envelope.messages.length, 0)

  it('has the features and sessions that SQL over its rows gives', async () => {
    await until(
      'its rows are there',
      () => world.number(`SELECT count() FROM slotstream.events WHERE site_id = '${CLICKS}'`),
      count => count === messages,
    )
    const rows = await world.query<Record<string, unknown> & { user: string; taken_at: number; sessions: number }>(
      BY_USER,
    )
    expect(rows.map(({ user }) => user)).toEqual(visitors.toSorted())
    for (const { user, taken_at: at, sessions, revenue, category_affinity, ...expected } of rows) {
      const { features } = (await aggregator.profiles.profileOf(CLICKS, user))!
      const values = featureValues(features!, DEFAULT_FEATURES, at)
      const valueAt = (name: string) => values.get(name)!.value
      expect(Object.fromEntries(Object.keys(expected).map(name => [name, valueAt(name)])), user).toEqual(expected)
      expect(rounded(valueAt('revenue')), user).toEqual(rounded(revenue))
      expect(rounded(valueAt('category_affinity')), user).toEqual(rounded(category_affinity))
      expect(features!.visits.length + features!.past[0], user).toBe(sessions)
    }
  })

  it('has the sessions of its rows, each with its begin, end and number of messages', async () => {
    const rows = await world.query<{ user: string; session: string; begun: number; ended: number; messages: number }>(
      `SELECT anonymous_id AS user, session_id AS session, toUnixTimestamp64Milli(min(timestamp)) AS begun,
         toUnixTimestamp64Milli(max(timestamp)) AS ended, count() AS messages
       FROM slotstream.events WHERE site_id = '${CLICKS}' GROUP BY user, session ORDER BY user, begun
       SETTINGS output_format_json_quote_64bit_integers = 0`,
    )
    for (const visitor of visitors) {
      const { features } = (await aggregator.profiles.profileOf(CLICKS, visitor))!
      const own = rows.filter(({ user }) => user === visitor)
      // Those of the last 30 days by themselves, earlier ones as a sum.
      const kept = own
        .slice(features!.past[0])
        .map(({ session, begun, ended, messages: n }) => [session, begun, ended, n])
      expect(features!.visits.map(([id, begun, ended, n]) => [id, begun, ended, n])).toEqual(kept)
      const past = own.slice(0, features!.past[0])
      expect(features!.past[1]).toBe(past.reduce((sum, { begun, ended }) => sum + ended - begun, 0))
    }
  })

  it('has a funnel, of which patterns find what windowFunnel finds', async () => {
    const rows = await world.query<{ user: string; step: number }>(FUNNEL)
    const expected = (least: number) => rows.filter(({ step }) => step >= least).map(({ user }) => user)
    for (const [signal, least] of [
      ['to-cart', 2],
      ['to-order', 3],
    ] as const) {
      const sql = `SELECT DISTINCT anonymous_id AS user FROM slotstream.signals WHERE site_id = '${CLICKS}' AND signal = '${signal}'`
      const found = await until(
        `all of ${signal}`,
        async () => (await world.query<{ user: string }>(sql)).map(({ user }) => user).sort(),
        users => users.length >= expected(least).length,
      )
      expect(expected(least).length).toBeGreaterThan(10)
      expect(found).toEqual(expected(least).sort())
    }
  })
})

/** Values by key, to a thousandth. */
function rounded(values: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values as Record<string, number>)
      .map(([key, value]): [string, number] => [key, Math.round(value * 1_000) / 1_000])
      .filter(([, value]) => value !== 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

describe('profiles and the rows of events', () => {
  it('agree in every feature of every person, however messages came', async () => {
    const json = await run('--sample', '1000', '--json')
    const report = reportOf(json)
    expect(report.examples).toEqual([])
    expect(report).toMatchObject({ site: SITE, different: 0, skipped: { retention: 0, unloaded: 0, unanswered: 0 } })
    expect(json.code).toBe(0)
    expect(report.compared).toBeGreaterThan(60)
    const names = ['(person)', ...BUILT_IN_FEATURES.map(({ name }) => name), ...DECLARED.map(({ name }) => name)]
    expect(report.features.map(({ feature }) => feature)).toEqual(names.toSorted())
    expect(featureIn(report, 'page_views')).toMatchObject({ match: report.compared, maxError: 0, meanError: 0 })
    // Counted from where it was declared, where anything was counted.
    expect(featureIn(report, 'seen').match).toBeGreaterThan(report.compared / 3)

    const again = reportOf(await run('--sample', '10', '--date', '2026-01-01', '--json'))
    const table = await run('--sample', '10', '--date', '2026-01-01')
    expect(table.code).toBe(0)
    expect(table.stdout).toContain(`${again.compared} of ${again.sampled} sampled visitors compared`)
    expect(table.stdout).toMatch(/^page_views +\d+ +0 +0 +0 +0 +0 +0$/m)
    expect(table.stdout).toContain('Profiles are what the rows of events give.')
  })

  it('say which messages made a value what it is', async () => {
    const { nats, installation, log } = world
    const server = clickhouse.account
    const answering = await answerHistories({ nats, installation, server, anonymousDays: 30, log })
    const made = createCollector({ nats, installation, adminToken: ADMIN_TOKEN, demoDir: '', sdkFile: '', log })
    const url = `http://127.0.0.1:${await made.listen(0, '127.0.0.1')}`
    const ask = async (path: string) => {
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
      const response = await fetch(`${url}/v1/admin/sites/${SITE}/profiles/${path}`, { headers })
      return { status: response.status, body: (await response.json()) as ValueHistory & { error: { message: string } } }
    }
    const read = async (visitor: string, rest: string) => {
      const answer = () => ask(`${visitor}/history?${rest}`)
      return (await until(`the history of ${visitor}`, answer, ({ status }) => status === 200, { timeoutMs: 20_000 }))
        .body
    }
    const servedValue = async (visitor: string, feature: string) => {
      const { features } = (await ask(visitor)).body as unknown as { features: Record<string, { value: unknown }> }
      return features[feature]!.value
    }

    for (const visitor of ['b1', 'b2', 'b4', 'user:u34', 'user:u36', 'user:newu', 'b5']) {
      const { changes, hasMore, version } = await read(visitor, 'feature=page_views&limit=500')
      expect(changes.length).toBeGreaterThan(0)
      expect([hasMore, version]).toEqual([false, DEFAULT_FEATURES.byName.get('page_views')!.version])
      expect(changes[0]!.to).toBe(await servedValue(visitor, 'page_views'))
      // Each begins where the one before ended, the newest first.
      expect(changes.map(({ from }) => from)).toEqual([...changes.slice(1).map(({ to }) => to), 0])
      expect(changes.map(({ position }) => position)).toEqual(
        changes.map(({ position }) => position).toSorted((a, b) => b - a),
      )
      // Each is a message of the table: a page, or of a person one by which a browser was joined.
      const places = changes.map(({ position, messageId }) => `(${position}, '${messageId}')`).join()
      const rows = `SELECT count() FROM slotstream.events WHERE (stream_seq, message_id) IN (${places})`
      expect(await world.number(rows)).toBe(changes.length)
      if (['b1', 'b5'].includes(visitor)) expect(new Set(changes.map(({ type }) => type))).toEqual(new Set(['page']))
    }
    const some = await read('b3', 'feature=page_views&limit=2')
    expect([some.changes.length, some.hasMore]).toEqual([2, true])
    expect((await ask('b1/history?feature=page_view')).body.error.message).toContain('did you mean page_views?')
    const faults = ['b1/history', 'b1/history?feature=page_views&limit=0', 'nobody/history?feature=page_views']
    expect(await Promise.all(faults.map(async path => (await ask(path)).status))).toEqual([400, 400, 404])
    // Of more messages than are looked at, the latest ones.
    const request = { siteId: SITE, userId: '', browsers: ['b1'], feature: 'page_views', limit: 500 }
    const deps = {
      clickhouse: clickhouse.client,
      definitionsOf: () => ({ features: DEFAULT_FEATURES }),
      anonymousDays: 30,
    }
    const cut = await readHistory(request, { ...deps, maxMessages: 3 })
    expect(cut).toMatchObject({ hasMore: true, since: expect.any(Number) })
    await Promise.all([answering.stop(), made.stop()])
  })

  it('are compared every night, in one process, and what it came to is a metric', async () => {
    const { nats, installation, log } = world
    const metrics = createMetrics()
    const identity = someIdentity('nightly')
    let now = Date.UTC(2026, 0, 1, 12)
    const job = createParityJob({
      ...{ nats, installation, log, metrics, clickhouse: clickhouse.account },
      ...{ parity: { sample: 20, hour: 3 }, anonymousDays: 30 },
    })
    const parts = { nats, installation, metrics, log, identity, jobs: [job], now: () => now, everyMs: 50 }
    const nightly = await startNightly(parts)
    const night = async () => (await installation.buckets.positions.get(nightKey('parity')))?.json<{ night: string }>()
    await until('the first night is noted', night, noted => noted?.night === '2026-01-01')
    const numbers = async () =>
      Object.fromEntries(
        (await metrics.registry.metrics())
          .split('\n')
          .filter(line => line.startsWith('slotstream_profile_parity'))
          .map(line => [
            line.slice('slotstream_profile_parity_'.length, line.lastIndexOf(' ')),
            Number(line.split(' ').at(-1)),
          ]),
      )
    // Not before its hour.
    now += 14 * HOUR
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await numbers()).not.toHaveProperty('runs_total{result="match"}')
    now += 2 * HOUR
    await until('the next night is noted', night, noted => noted?.night === '2026-01-02')
    expect(await numbers()).toMatchObject({
      'runs_total{result="match"}': 1,
      'visitors{outcome="mismatch"}': 0,
      'visitors{outcome="match"}': expect.toSatisfy(count => count > 0 && count <= 20),
      'values{outcome="different"}': 0,
      max_error: 0,
    })
    await nightly.stop()
  })

  it('do not where a fault is planted in a stored profile, which is found, and named by its feature', async () => {
    await aggregator.stop()
    const { buckets } = world.installation
    const change = async (visitorId: string, fault: (profile: Profile) => void) => {
      const { key, profile } = await storedProfile(visitorId)
      fault(profile)
      await buckets.profiles.put(key, JSON.stringify(profile))
    }
    const version = (name: string) => DEFAULT_FEATURES.byName.get(name)!.version
    const [views, language, orders] = [version('page_views'), version('language'), version('since_order')]
    await change('b1', ({ features }) => {
      features!.of[views]![1] = (features!.of[views]![1] as number) + 3_000_000
    })
    await change('b3', ({ features }) => {
      delete features!.of[orders]
    })
    await change('b5', ({ features, lastSeen }) => {
      features!.of[language] = [0, [Date.parse(lastSeen), 'm', 'tlh']]
    })
    const { profile: ghost } = await storedProfile('b7')
    const { partitions, privacy } = world.installation
    const ghostKey = profileKey(privacy.keyed, { siteId: SITE, visitorId: 'ghost' }, partitions)
    await buckets.profiles.put(ghostKey, JSON.stringify({ ...ghost, visitorId: 'ghost', anonymousId: 'ghost' }))
    await buckets.profiles.delete((await storedProfile('b9')).key)
    aggregator = await startAggregator()
    const row = `SELECT count() FROM slotstream.profiles WHERE anonymous_id = 'ghost'`
    await until('ClickHouse knows the ghost', () => world.number(row), Boolean)

    const json = await run('--sample', '1000', '--json')
    expect(json.code).toBe(1)
    expect(json.stderr).toMatch(/^\d+ of \d+ visitors differ\n$/)
    const report = reportOf(json)
    const faults = new Map(report.examples.map(({ visitor, feature, ...rest }) => [`${visitor} ${feature}`, rest]))
    expect(faults.get('b1 page_views')).toMatchObject({ error: 3 })
    expect(featureIn(report, 'page_views')).toMatchObject({ maxError: expect.toSatisfy(error => error >= 3) })
    expect(featureIn(report, 'since_order').missing).toBeGreaterThanOrEqual(1)
    expect(featureIn(report, 'language').extra).toBe(1)
    // Of the ghost everything is too much, and all of the lost one is missing.
    expect(featureIn(report, '(person)')).toMatchObject({ extra: 1, missing: 1 })
    const text = await run('--sample', '1000')
    expect(text.code).toBe(1)
    expect(text.stdout).toMatch(/visitors differ, in .*language.*: see docs\/operating\.md, "Parity"/)
  })
})
