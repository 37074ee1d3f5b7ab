import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { type EventEnvelope, type PersonJob, partitionOf, streamSubject, visitorIdOf } from '@slotstream/protocol'
import {
  connectNats,
  createLog,
  type Installation,
  type Nats,
  provision,
  sharedSettings,
  watchTombstones,
} from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeForgotten } from '#aggregator/people/clean/remove-forgotten.js'
import { isKnownStream, PLACES } from '#aggregator/people/find/places.js'
import { scanEverything, tablesOf } from '../support/scan-everything.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'
import { type Receiver, startReceiver } from '../support/webhook-receiver.js'

const SITE = 'demo'

/** The person, under ids that break code which writes them into SQL, JSON or a subject without care. */
const USER = `o'Neil "q" \\ user:ünï.🙂 ${randomUUID()}`
const BROWSERS = [`user:bob'); -- ${randomUUID()}`, `b1-${randomUUID()}`, `b2 > * ${randomUUID()}`]
const OLD_ID = `old-${randomUUID()}`
const EMAIL = `person-${randomUUID()}@example.com`
const MARKER = `marker-${randomUUID()}`

/** Another person, who shares a browser with the person. */
const OTHER = `other-${randomUUID()}`
const SHARED = `shared-${randomUUID()}`

const MESSAGES = 2_000

let system: System
let lake: string
let receiver: Receiver
let nats: Nats
let installation: Installation
let clickhouse: ClickHouseClient

beforeAll(async () => {
  receiver = await startReceiver(() => 500)
  lake = await mkdtemp(join(tmpdir(), 'slotstream-lake-'))
  const webhooks = { WEBHOOK_ALLOW_PRIVATE: '1', WEBHOOK_RETRY_S: '1', WEBHOOK_GIVE_UP_S: '1' }
  system = await startSystem({ LAKE_DIR: lake, LAKE_EVERY_S: '1', ...webhooks })
  const log = createLog('test')
  log.level = 'silent'
  nats = await connectNats(system.natsUrl, 'test', log)
  installation = await provision(nats, sharedSettings({ NATS_URL: system.natsUrl }), log)
  clickhouse = createClient({
    url: system.clickhouseUrl,
    username: 'slotstream',
    password: system.clickhousePassword(),
    request_timeout: 60_000,
    log: { level: ClickHouseLogLevel.OFF },
  })
})

afterAll(async () => {
  await clickhouse?.close()
  await nats?.close()
  if (process.env.KEEP_LOGS) await cp(join(system.dataDir, 'logs'), process.env.KEEP_LOGS, { recursive: true })
  await system?.stop()
  await receiver?.stop()
  if (lake) await rm(lake, { recursive: true, force: true })
})

const sendBatch = async (batch: object[], more: object = {}, key = 'demo') => {
  const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=${key}`, {
    method: 'POST',
    body: JSON.stringify({ batch, sentAt: new Date().toISOString(), ...more }),
  })
  const answer = (await response.json()) as { accepted: number; rejected: { code: string }[] }
  expect(response.status, JSON.stringify(answer)).toBe(200)
  return answer
}

const message = (fields: object) => ({
  messageId: randomUUID(),
  type: 'track',
  event: 'Product Viewed',
  timestamp: new Date().toISOString(),
  properties: { product_id: 'p', category: 'shoes' },
  ...fields,
})

const theirs = (fields: object = {}) => message({ ...fields, properties: { product_id: MARKER, note: MARKER } })

const askSlots = (anonymousId: string, userId?: string) =>
  fetch(`${system.collectorUrl}/v1/slots?writeKey=demo`, {
    method: 'POST',
    body: JSON.stringify({ anonymousId, userId, slots: [{ id: 'hero' }] }),
  })

const pathOf = (site: string, id: string) => `/sites/${site}/people/${encodeURIComponent(id)}`

const exported = async (site = SITE, id = USER) => {
  const response = await fetch(`${system.collectorUrl}/v1/admin${pathOf(site, id)}`, {
    headers: { Authorization: `Bearer ${system.adminToken}` },
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/x-ndjson')
  const lines = (await response.text()).split('\n').filter(Boolean)
  return lines.map(line => JSON.parse(line) as { place: string; value: unknown })
}

/** Places in which something of the person is found, with one of the texts. */
async function whereFound(needles: string[]): Promise<Map<string, string>> {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const texts = [...new Set(needles.flatMap(id => [id, inJson(id), inJson(inJson(id))]))]
  const found = new Map<string, string>()
  const logs = join(system.dataDir, 'logs')
  for await (const { place, text } of scanEverything({ nats, clickhouse, folders: [logs], lake }))
    if (texts.some(needle => text.includes(needle))) found.set(place, text.slice(0, 2_000))
  return found
}

/** Counts and sums of everything that isn't the person's, by table. */
async function othersRows(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const anonymous = "user_id = '' AND anonymous_id = {shared:String}"
  const ofIds = `user_id = {user:String} OR anonymous_id IN {browsers:Array(String)} OR (${anonymous})`
  for (const table of Object.keys(PLACES.tables)) {
    // Its rows may become one at any time, and that of a session which others had part in is another one afterwards.
    if (table === 'session_states') continue
    const theirs = table === 'rejected_events' ? `payload LIKE '%${MARKER}%'` : ofIds
    // The one table whose rows may be written twice, by a process that was killed: merges make them one.
    const source = table === 'profile_versions' ? `${table} FINAL` : table
    const result = await clickhouse.query({
      query: `SELECT count() AS rows, groupBitXor(cityHash64(formatRow('JSONEachRow', *))) AS hash
              FROM slotstream.${source} WHERE NOT (${theirs})
              ${table === 'profile_versions' ? 'AND anonymous_id != {shared:String}' : ''}`,
      query_params: { user: USER, browsers: [...BROWSERS, OLD_ID], shared: SHARED },
      format: 'JSONEachRow',
    })
    found[table] = await result.json()
  }
  return found
}

const jobOf = (jobId: string) => system.admin('GET', `/jobs/${jobId}`) as Promise<PersonJob>

async function finished(jobId: string): Promise<PersonJob> {
  const job = await until(
    'the job',
    () => jobOf(jobId).catch(() => undefined),
    found => found !== undefined && found.state !== 'running',
    { timeoutMs: 110_000, everyMs: 200 },
  )
  return job!
}

const deleted = async (site: string, id: string) =>
  finished(((await system.admin('DELETE', pathOf(site, id))) as { jobId: string }).jobId)

const profileOf = (site: string, id = '') =>
  system.admin('GET', `/sites/${site}/profiles/${encodeURIComponent(id)}`).catch(() => undefined)

const countOf = async (table: string, where: string, params: Record<string, unknown>) => {
  const result = await clickhouse.query({
    query: `SELECT count() AS rows FROM slotstream.${table} WHERE ${where}`,
    query_params: params,
    format: 'JSONEachRow',
  })
  return Number((await result.json<{ rows: string }>())[0]?.rows)
}

/** Messages from before the deletion, as a client may still have them. */
const late: object[] = []

async function live(): Promise<void> {
  await system.admin('PUT', `/sites/${SITE}/segments`, {
    segments: [{ name: 'seen', where: { 'profile.events': { $gte: 1 } } }],
  })
  // The segment is in effect once it has a member.
  await until(
    'the segment',
    async () => {
      await sendBatch([message({ anonymousId: 'stranger-0' })])
      return countOf('segment_members', 'true', {})
    },
    members => members > 0,
  )
  // A webhook that takes nothing: signals wait for it, and become dead letters.
  await system.admin('POST', `/sites/${SITE}/webhooks`, { url: receiver.url })
  for (let n = 0; n < 20; n++)
    await sendBatch([message({ anonymousId: `stranger-${n}`, userId: n % 2 ? `u-${n}` : undefined })])
  for (const anonymousId of BROWSERS) await sendBatch([theirs({ anonymousId })])
  await sendBatch([
    message({ type: 'identify', anonymousId: BROWSERS[0], userId: USER, traits: { email: EMAIL } }),
    message({ type: 'identify', anonymousId: BROWSERS[2], userId: USER, traits: { email: EMAIL } }),
  ])
  await sendBatch([message({ type: 'alias', userId: USER, previousId: OLD_ID, anonymousId: BROWSERS[1] })])
  await sendBatch([theirs({ anonymousId: OLD_ID })])
  for (let n = 0; n < MESSAGES; n += 200)
    await sendBatch(Array.from({ length: 200 }, () => theirs({ anonymousId: BROWSERS[1], userId: USER })))
  // A server that knows no browser; a browser whose two users are in one envelope; messages that no role can process.
  await sendBatch([theirs({ userId: USER, event: 'Order Completed' })])
  const context = { sessionId: SHARED }
  await sendBatch([
    theirs({ anonymousId: SHARED, userId: USER, context }),
    message({ anonymousId: SHARED, userId: OTHER, context }),
  ])
  await sendBatch([message({ anonymousId: 'stranger-1', context: { sessionId: 'strange' } })])
  await sendBatch([theirs({ anonymousId: SHARED })])
  await sendBatch([
    { ...theirs({ anonymousId: BROWSERS[1], userId: USER }), type: 'nonsense' },
    { ...theirs({ userId: [USER] }) },
    { ...message({ anonymousId: 'stranger-1' }), type: 'nonsense' },
  ])
  await nats.js.publish(streamSubject('events', 3), `{"broken": ${JSON.stringify([USER, MARKER])}`)
  for (const [anonymousId, userId] of [[BROWSERS[1], USER], ['stranger-2']]) await askSlots(anonymousId!, userId)
  for (const anonymousId of [BROWSERS[1]!, 'stranger-2']) await learnOf(anonymousId)
  late.push(theirs({ anonymousId: BROWSERS[1] }), theirs({ userId: USER }))
}

/** Policies learn of a decision for a browser. */
async function learnOf(anonymousId: string): Promise<void> {
  const [decisionId, slotId, contentId] = [randomUUID(), 'hero', 'tent']
  const at = Date.now()
  const served = [{ decisionId, slotId, at, sessionId: '', items: [{ contentId, position: 1, features: [1, 1] }] }]
  const told = { siteId: SITE, visitorId: visitorIdOf({ anonymousId }), receivedAt: new Date(at).toISOString() }
  const envelope: EventEnvelope = { ...told, served, messages: [] }
  await nats.js.publish(streamSubject('events', partitionFor(anonymousId)), JSON.stringify(envelope))
  await sendBatch([message({ anonymousId, event: 'Slot Viewed', properties: { decisionId, slotId, contentId } })])
}

describe('deleting a person', () => {
  it('knows every table, stream and bucket that there is', async () => {
    const tables = [...Object.keys(PLACES.tables), ...PLACES.without.tables].sort()
    expect(await tablesOf(clickhouse)).toEqual(tables)
    const streams: string[] = []
    for await (const name of nats.manager.streams.names()) streams.push(name)
    expect(streams.filter(name => !isKnownStream(name))).toEqual([])
  })

  it('finds, exports and removes everything, whatever is killed meanwhile, and nothing of others', async () => {
    await live()
    await until(
      'all rows',
      () => countOf('events', 'user_id = {user:String}', { user: USER }),
      rows => rows === MESSAGES + 5,
    )
    const everywhere = [
      'lake decisions',
      'lake detected_signals',
      'lake events',
      'lake learning_outcomes',
      'lake rejected_events',
      'lake webhook_deliveries',
      'stream DEAD_LETTERS',
      'stream DECISIONS',
      'stream DELIVERIES',
      'stream EVENTS',
      'stream KV_profiles',
      'stream KV_webhook_letters',
      'stream LEARNING',
      'stream REJECTED',
      'stream SIGNALS',
      'table decisions',
      'table detected_signals',
      'table events',
      'table identifications',
      'table learning_outcomes',
      'table money_events',
      'table profile_versions',
      'table rejected_events',
      'table segment_intervals',
      'table session_states',
      'table sessionless_events',
      'table slot_responses',
      'table webhook_deliveries',
    ]
    const needles = [USER, ...BROWSERS, OLD_ID, EMAIL, MARKER]
    await until(
      'the person is everywhere',
      async () => [...(await whereFound(needles)).keys()].sort(),
      places => JSON.stringify(places) === JSON.stringify(everywhere),
      { timeoutMs: 60_000, everyMs: 1_000 },
    )
    const places = new Set((await exported()).map(({ place }) => place))
    for (const place of everywhere)
      if (!place.startsWith('lake')) expect([...places]).toContain(place.replace('stream KV_', 'bucket '))
    const before = await othersRows()

    const { jobId } = (await system.admin('DELETE', pathOf(SITE, USER))) as { jobId: string }
    for (const step of ['streams', 'tables']) {
      await until(
        `the step ${step}`,
        () => jobOf(jobId),
        job => job.step === step || job.state !== 'running',
        { timeoutMs: 60_000, everyMs: 5 },
      )
      await system.kill('warehouse')
    }
    const job = await finished(jobId)
    expect(job).toMatchObject({ state: 'done', progress: 1 })
    expect(Object.keys(job.report).sort()).toEqual(
      everywhere.map(place => place.replace('stream KV_', 'bucket ')).sort(),
    )
    expect(JSON.stringify(job)).not.toContain(BROWSERS[1])

    expect([...(await whereFound(needles))]).toEqual([])
    expect(await othersRows()).toEqual(before)
    expect((await exported()).map(({ place }) => place)).toEqual(['ids'])
  }, 300_000)

  it('leaves what another user did in a browser that both used', async () => {
    const params = { shared: SHARED, other: OTHER }
    expect(await countOf('events', 'anonymous_id = {shared:String} AND user_id = {other:String}', params)).toBe(1)
    expect(await countOf('events', 'anonymous_id = {shared:String}', params)).toBe(1)
    expect(
      await countOf('sessions', 'session_id = {shared:String} AND user_id = {other:String} AND events = 1', params),
    ).toBe(1)
    expect(await countOf('sessions', "session_id = 'strange' AND events = 1", {})).toBe(1)
    const [profile] = await nats.manager.streams
      .getMessage('EVENTS', { last_by_subj: streamSubject('events', partitionFor(SHARED)) })
      .then(found => [found?.string()])
    expect(profile).toContain(OTHER)
  })

  it('refuses a copy from before, by whatever way it comes, and takes what is new', async () => {
    const answer = await sendBatch(late)
    expect(answer).toMatchObject({ accepted: 0, rejected: [{ code: 'person_deleted' }, { code: 'person_deleted' }] })
    const [copy] = late as { anonymousId: string; timestamp: string }[]
    const envelope: EventEnvelope = {
      siteId: SITE,
      visitorId: visitorIdOf(copy!),
      receivedAt: copy!.timestamp,
      messages: [copy as never],
    }
    const partition = partitionFor(copy!.anonymousId)
    await nats.js.publish(streamSubject('events', partition), JSON.stringify(envelope))
    const fresh = message({ anonymousId: BROWSERS[1], event: 'Begins anew' })
    expect(await sendBatch([fresh])).toMatchObject({ accepted: 1, rejected: [] })
    await until(
      'the new row',
      () => countOf('events', "anonymous_id = {id:String} AND event = 'Begins anew'", { id: BROWSERS[1] }),
      rows => rows === 1,
    )
    expect(await countOf('events', 'anonymous_id = {id:String}', { id: BROWSERS[1] })).toBe(1)
    const profile = await until(
      'the new profile',
      () => system.admin('GET', `/sites/${SITE}/profiles/${encodeURIComponent(BROWSERS[1]!)}`),
      Boolean,
    )
    expect(profile).toMatchObject({ events: 1, userId: '' })
  })

  it('removes what a backup brings back', async () => {
    const now = Date.now()
    const iso = (ms: number) => new Date(ms).toISOString().slice(0, -1).replace('T', ' ')
    const old = { site_id: SITE, message_id: randomUUID(), anonymous_id: BROWSERS[2], user_id: '' }
    const values = [
      { ...old, timestamp: iso(now - 3_600_000), stream_seq: 2 ** 42 },
      { ...old, timestamp: iso(now), stream_seq: 2 ** 42 + 1 },
      { ...old, anonymous_id: SHARED, user_id: OTHER, timestamp: iso(now - 3_600_000), stream_seq: 2 ** 42 + 2 },
    ]
    await clickhouse.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
    const tombstones = await watchTombstones(nats, installation, createLog('test'))
    expect(await removeForgotten(clickhouse, tombstones, sql => sql)).toEqual({ events: 1, sessionless_events: 1 })
    tombstones.stop()
    const left = { browser: BROWSERS[2], shared: SHARED }
    expect(await countOf('events', 'anonymous_id = {browser:String}', left)).toBe(1)
    expect(await countOf('events', 'anonymous_id = {shared:String}', left)).toBe(2)
  })

  it('of a browser takes all that it sent, and is done at once where there is nothing', async () => {
    const { jobId } = (await system.admin(
      'DELETE',
      `/sites/${SITE}/people/${encodeURIComponent(BROWSERS[1]!)}?as=anonymousId`,
    )) as { jobId: string }
    const nothing = (await system.admin('DELETE', `/sites/${SITE}/people/nobody`)) as { jobId: string }
    expect((await finished(jobId)).state).toBe('done')
    expect(await finished(nothing.jobId)).toMatchObject({ state: 'done', report: {} })
    expect([...(await whereFound([BROWSERS[1]!]))]).toEqual([])
  }, 300_000)

  it('leaves a browser alone that only claimed to be the person', async () => {
    const site = 'signed'
    await system.admin('PUT', `/sites/${site}`, { writeKeys: [site], identitySecret: 'identity-secret-0123456789' })
    const [victim, bob, carol] = ['victim', 'bob', 'carol'].map(name => `${name}-${randomUUID()}`)
    await sendBatch([message({ anonymousId: bob }), message({ anonymousId: carol })], {}, site)
    const claims = [
      message({ anonymousId: bob, userId: victim }),
      message({ type: 'alias', anonymousId: 'eve', userId: victim, previousId: carol }),
    ]
    expect(await sendBatch(claims, {}, site)).toMatchObject({ accepted: 2 })
    const rows = () => countOf('events', 'site_id = {site:String}', { site })
    await until('the rows', rows, count => count === 4)
    await until('the profiles', () => profileOf(site, bob!), Boolean)

    const ids = (await exported(site, victim))[0]
    expect(ids).toEqual({ place: 'ids', value: { userIds: [victim], anonymousIds: [victim] } })
    expect((await deleted(site, victim!)).report['table events']).toBe(2)
    expect(await countOf('events', 'anonymous_id IN {ids:Array(String)}', { ids: [bob, carol] })).toBe(2)
    expect(await profileOf(site, bob)).toMatchObject({ visitorId: bob })
  }, 120_000)

  it('with more browsers than the ids of fit into one message is no different', async () => {
    const [user, count] = [`many-${randomUUID()}`, 1_300]
    const long = '€'.repeat(220)
    const timestamp = new Date(Date.now() - 60_000).toISOString().slice(0, -1).replace('T', ' ')
    const values = Array.from({ length: count }, (_, n) => ({
      ...{ site_id: SITE, message_id: randomUUID(), anonymous_id: `${long}${randomUUID()}`, user_id: user },
      ...{ timestamp, stream_seq: 2 ** 43 + n },
    }))
    await clickhouse.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
    const job = await deleted(SITE, user)
    expect(job).toMatchObject({ state: 'done', report: { 'table events': count } })
    const keys: string[] = []
    for await (const key of await installation.buckets.jobs.keys(`${job.jobId}.>`)) keys.push(key)
    expect(keys).toEqual([])
  }, 180_000)

  it('does not wait for one that fails', async () => {
    const jobId = randomUUID()
    const broken = { jobId, siteId: SITE, state: 'running', done: [], createdAt: '2020-01-01T00:00:00Z', sealed: 'no' }
    await installation.buckets.jobs.create(jobId, JSON.stringify(broken))
    expect(await deleted(SITE, 'nobody')).toMatchObject({ state: 'done' })
    expect(await installation.buckets.jobs.get(jobId).then(entry => entry?.json())).toMatchObject({ state: 'running' })
    await installation.buckets.jobs.purge(jobId)
  }, 120_000)

  it('finds what was rejected, also where an id is an odd number or stands behind what was cut', async () => {
    const number = 1e15 + 20_000
    const late = `late-${randomUUID()}`
    const sent = [`{"type":"track","userId":${number / 1e4}e4}`, `{"type":"track","userId":[[${number}.0]]}`]
    const long = JSON.stringify({ type: 'track', event: 'E', properties: { x: 'y'.repeat(40_000) }, userId: late })
    const body = `{"batch":[${[...sent, long, '{"type":"track","anonymousId":"1000000000020000x"}'].join()}]}`
    const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=demo`, { method: 'POST', body })
    expect(await response.json()).toMatchObject({ accepted: 0 })
    const payloads = async () => {
      const texts = sent.map(text => text.replace('{', ''))
      const where = 'multiSearchAny(payload, {texts:Array(String)})'
      return countOf('rejected_events', where, { texts: [...texts, late, '0020000x'] })
    }
    await until('the rejected rows', payloads, count => count === 4)
    for (const [id, removed] of [
      [String(number), 2],
      [late, 1],
    ] as const)
      expect(await deleted(SITE, id)).toMatchObject({ report: { 'table rejected_events': removed } })
    expect(await payloads()).toBe(1)
  }, 120_000)

  it('says what is wrong with a request', async () => {
    await expect(system.admin('DELETE', `/sites/${SITE}/people/x?as=email`)).rejects.toThrow(/400.*userId/)
    await expect(system.admin('DELETE', `/sites/${SITE}/people/x?as[]=userId`)).rejects.toThrow(/400.*parameter/)
    await expect(system.admin('DELETE', `/sites/${SITE}/people/x?kind=userId`)).rejects.toThrow(/400.*parameter/)
    await expect(system.admin('DELETE', '/sites/nowhere/people/x')).rejects.toThrow(/404/)
    await expect(system.admin('GET', '/jobs/none')).rejects.toThrow(/404/)
  })
})

function partitionFor(anonymousId: string): number {
  return partitionOf(SITE, visitorIdOf({ anonymousId }), installation.partitions)
}
