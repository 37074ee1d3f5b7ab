import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateSync, gzipSync } from 'node:zlib'
import { startProfiles } from '@slotstream/aggregator'
import { type Collector, createCollector } from '@slotstream/collector'
import { applyEnvelope } from '@slotstream/core'
import {
  type BatchAnswer,
  type DecideRequest,
  type DecisionEnvelope,
  type EventEnvelope,
  keyToken,
  MAX_BATCH_BYTES,
  openEnvelope,
  partitionOf,
  type RejectedEnvelope,
  type SlotsAnswer,
} from '@slotstream/protocol'
import {
  connectNats,
  createLog,
  createMetrics,
  createPublisher,
  type Installation,
  type Nats,
  provision,
  sharedSettings,
} from '@slotstream/runtime'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { startNatsServer } from '../support/nats-server.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { WITHOUT_LIMITS } from '../support/without-limits.js'

process.env.LOG_LEVEL ??= 'silent'
const log = createLog('test')
const ADMIN = { Authorization: 'Bearer secret' }
const DECIDE_TIMEOUT_MS = 400

let broker: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats
let installation: Installation
let collector: Collector
let url: string
let folder: string

beforeAll(async () => {
  broker = await startNatsServer()
  nats = await connectNats(broker.url, 'test', log)
  installation = await provision(nats, sharedSettings({ NATS_URL: broker.url, PARTITIONS: '8' }), log)
  folder = await mkdtemp(join(tmpdir(), 'slotstream-collector-'))
  await writeFile(join(folder, 'index.html'), '<h1>demo</h1>')
  await writeFile(join(folder, 'some-part.js'), 'export {}')
  await writeFile(join(folder, 'some-part.js.map'), '{}')
  await writeFile(join(folder, 'sdk.js'), `window.slotstream = {}\n${'// filler\n'.repeat(500)}`)
  collector = createCollector({
    nats,
    installation,
    adminToken: 'secret',
    demoDir: folder,
    sdkFile: join(folder, 'sdk.js'),
    log,
    decideTimeoutMs: DECIDE_TIMEOUT_MS,
    settings: WITHOUT_LIMITS,
  })
  url = `http://127.0.0.1:${await collector.listen(0, '127.0.0.1')}`
  await until(
    'ready',
    () => fetch(`${url}/readyz`),
    response => response.ok,
  )
  await admin('PUT', '/sites/shop', { writeKeys: ['shop'], allowedOrigins: ['*'], debug: true })
  await admin('PUT', '/sites/strict', { writeKeys: ['strict'], allowedOrigins: ['https://strict.example'] })
})

afterAll(async () => {
  await collector?.stop()
  await nats?.close()
  await broker?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(`${url}/v1/admin${path}`, { method, headers: ADMIN, ...init })
  return { status: response.status, body: await response.json() }
}

type Answer = BatchAnswer & SlotsAnswer & { error: { code: string; message: string; details?: string[] } }

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: raw ? (body as string) : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

let ids = 0
const newId = (prefix = 'id') => `${prefix}-${++ids}`
const track = (anonymousId: string, rest: object = {}) => ({
  type: 'track',
  event: 'E',
  messageId: newId('m'),
  anonymousId,
  ...rest,
})

/** Last sequence of each stream when the running test began. */
const began = new Map<string, number>()

beforeEach(async () => {
  for (const stream of ['EVENTS', 'REJECTED', 'DECISIONS'])
    began.set(stream, (await nats.manager.streams.info(stream)).state.last_seq)
})

/** What a stream got in the running test. */
async function streamOf<T>(stream: 'EVENTS' | 'REJECTED' | 'DECISIONS'): Promise<(T & { seq: number })[]> {
  const { state } = await nats.manager.streams.info(stream)
  const stored: (T & { seq: number })[] = []
  for (let seq = began.get(stream)! + 1; seq <= state.last_seq; seq++) {
    const message = await nats.manager.streams.getMessage(stream, { seq })
    if (message) stored.push({ ...(openEnvelope(message.json<EventEnvelope>()) as T), seq })
  }
  return stored
}

async function eventsOf(visitorId: string) {
  const envelopes = await streamOf<EventEnvelope>('EVENTS')
  return envelopes.filter(envelope => envelope.visitorId === visitorId)
}

const idsOf = (envelopes: EventEnvelope[]) => envelopes.flatMap(({ messages }) => messages.map(m => m.messageId))

describe('a batch', () => {
  it('is acknowledged with the position at which the stream has it', async () => {
    const visitor = newId('v')
    const batch = [track(visitor), track(visitor)]
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch, sentAt: new Date().toISOString() })
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, accepted: 2, rejected: [] })
    const stored = await nats.manager.streams.getMessage('EVENTS', { seq: body.position! })
    expect(stored?.subject).toBe(`events.${partitionOf('shop', visitor, 8)}`)
    expect(openEnvelope(stored!.json<EventEnvelope>())).toMatchObject({
      siteId: 'shop',
      visitorId: visitor,
      messages: batch.map(({ messageId }) => ({ messageId, context: { userAgent: 'node' } })),
    })
  })

  it('that comes again is stored once and gets the same position', async () => {
    const visitor = newId('v')
    const body = { writeKey: 'shop', batchId: newId('b'), batch: [track(visitor), track(visitor)] }
    const first = await post('/v1/batch', body)
    const second = await post('/v1/b', body)
    expect(second.body).toEqual(first.body)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('with a known batch id but other messages is stored', async () => {
    const visitor = newId('v')
    const batchId = newId('b')
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(visitor)] })
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(visitor)] })
    expect(await eventsOf(visitor)).toHaveLength(2)
  })

  it("can not suppress another visitor's or another site's messages by using their ids", async () => {
    const [first, second] = [newId('v'), newId('v')]
    const batchId = newId('b')
    const messageId = newId('m')
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(first, { messageId })] })
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(second, { messageId })] })
    await post('/v1/batch', { writeKey: 'strict', batchId, batch: [track(first, { messageId })] })
    expect((await eventsOf(first)).map(({ siteId }) => siteId)).toEqual(['shop', 'strict'])
    expect(await eventsOf(second)).toHaveLength(1)
  })

  it('of several visitors becomes one stream message for each', async () => {
    const [first, second] = [newId('v'), newId('v')]
    const batch = [track(first), track(second), track(first)]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect(body).toEqual({ success: true, accepted: 3, rejected: [] })
    expect(idsOf(await eventsOf(first))).toEqual([batch[0]!.messageId, batch[2]!.messageId])
    expect(idsOf(await eventsOf(second))).toEqual([batch[1]!.messageId])
  })

  it('of more visitors than may be in flight is stored all the same', async () => {
    const prefix = newId('crowd')
    const batch = Array.from({ length: 4_500 }, (_, i) => ({
      type: 'page',
      messageId: `${i}`,
      userId: `${prefix}-${i}`,
    }))
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect([status, body.accepted]).toEqual([200, 4_500])
  })

  it('that grows beyond a stream message when it is written out is stored in order', async () => {
    const visitor = newId('v')
    const batch = Array.from({ length: 60 }, () => track(visitor, { properties: { list: 'REPLACE' } }))
    // 1e20 is four characters here and twenty-one when it is written out, which a context for all makes necessary.
    const text = JSON.stringify({ writeKey: 'shop', batch, context: { app: { name: 'Shop' } } }).replaceAll(
      '"REPLACE"',
      `[${new Array(1_300).fill('1e20')}]`,
    )
    const { status, body } = await post('/v1/batch', text)
    expect([status, body.accepted]).toEqual([200, 60])
    const stored = await eventsOf(visitor)
    expect(stored.length).toBeGreaterThan(1)
    expect(idsOf(stored)).toEqual(batch.map(({ messageId }) => messageId))
    expect(body.position).toBe(stored.at(-1)?.seq)
  })

  it('that is empty is fine', async () => {
    expect(await post('/v1/batch', { writeKey: 'shop', batch: [] })).toMatchObject({
      status: 200,
      body: { success: true, accepted: 0, rejected: [] },
    })
  })
})

describe('the ways in', () => {
  it('gzip without a header that says so, as pages send it', async () => {
    const text = JSON.stringify({ batch: [] })
    const plain = await post('/v1/batch', text, { 'Content-Type': 'text/plain' })
    expect(await post('/v1/batch', gzipSync(text), { 'Content-Type': 'text/plain' })).toMatchObject({
      status: plain.status,
    })
    const cut = gzipSync(text).subarray(0, 15)
    expect((await post('/v1/batch', cut, { 'Content-Type': 'text/plain' })).status).toBe(400)
  })

  it.each(['gzip', 'deflate'])('%s', async encoding => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    const body = encoding === 'gzip' ? gzipSync(text) : deflateSync(text)
    expect((await post('/v1/batch', body, { 'Content-Encoding': encoding })).status).toBe(200)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('text/plain, as beacons send it', async () => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    expect((await post('/v1/batch', text, { 'Content-Type': 'text/plain;charset=UTF-8' })).status).toBe(200)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('HTTP Basic and the query string, for the write key', async () => {
    const batch = [track(newId('v'))]
    const Authorization = `Basic ${Buffer.from('shop:').toString('base64')}`
    expect((await post('/v1/batch', { batch }, { Authorization })).status).toBe(200)
    expect((await post('/v1/batch?writeKey=shop', { batch })).status).toBe(200)
  })

  it.each([
    ['track', 't', { event: 'E' }],
    ['page', 'p', {}],
    ['screen', 's', {}],
    ['identify', 'i', { traits: { a: 1 } }],
    ['group', 'g', { groupId: 'g' }],
    ['alias', 'a', { previousId: 'p' }],
  ])('/v1/%s and /v1/%s', async (type, letter, rest) => {
    const visitor = newId('v')
    for (const path of [type, letter]) {
      const message = { ...rest, messageId: newId('m'), anonymousId: visitor, writeKey: 'shop' }
      expect(await post(`/v1/${path}`, message)).toMatchObject({ status: 200, body: { accepted: 1 } })
    }
    const messages = (await eventsOf(visitor)).flatMap(envelope => envelope.messages)
    expect(messages).toMatchObject([{ type }, { type }])
    expect(messages[0]).not.toHaveProperty('writeKey')
  })

  it.each(['/v1/import', '/v1/import/', '/v1/batch/', '/beacon/v1/batch'])(
    '%s, a batch with its key in the body, as older libraries post it',
    async path => {
      const visitor = newId('v')
      const sent = { batch: [track(visitor)], sentAt: new Date().toISOString(), context: { ip: '0' }, sequence: 1 }
      expect(await post(path, { ...sent, writeKey: 'shop' })).toMatchObject({ status: 200, body: { accepted: 1 } })
      expect((await eventsOf(visitor)).flatMap(({ messages }) => messages)).toHaveLength(1)
    },
  )

  it.each([
    ['as it is', (text: Buffer) => text],
    ['gzipped', gzipSync],
  ])('JSON that begins with a byte order mark, %s', async (_how, pack) => {
    const visitor = newId('v')
    const body = pack(Buffer.from(`\uFEFF${JSON.stringify({ batch: [track(visitor)] })}`))
    expect(await post('/v1/batch?writeKey=shop', body)).toMatchObject({ status: 200, body: { accepted: 1 } })
    expect((await eventsOf(visitor)).flatMap(({ messages }) => messages)).toHaveLength(1)
    const single = `\uFEFF${JSON.stringify(track(visitor))}`
    expect(await post('/v1/track?writeKey=shop', single)).toMatchObject({ status: 200, body: { accepted: 1 } })
  })

  it('paths written in another way, through the router', async () => {
    expect((await post('/v1/Batch/', { writeKey: 'shop', batch: [] })).status).toBe(200)
  })
})

describe('numbers beyond 2^53', () => {
  const [one, other] = ['175928847299117063', '175928847299117064']
  const text = (message: object) => JSON.stringify(message).replaceAll(/"#(\d+)"/g, '$1')

  it('are the ids that they are, and stay numbers in properties', async () => {
    const batch = [
      track(`#${one}`, { properties: { n: `#${one}` } }),
      { ...track('x', { userId: `#${other}` }), anonymousId: null },
      track('digits', { properties: { n: `#${other}` }, context: { sessionId: `#${one}` } }),
    ]
    await post('/v1/batch', text({ writeKey: 'shop', batch }))
    const single = track('digits', { userId: `#${other}`, properties: { n: `#${one}` } })
    await post('/v1/track', text({ writeKey: 'shop', ...single }))
    expect(await eventsOf(one!)).toMatchObject([{ messages: [{ anonymousId: one }] }])
    expect(await eventsOf(`user:${other}`)).toMatchObject([{ messages: [{ userId: other }] }])
    expect((await eventsOf('digits')).flatMap(({ messages }) => messages)).toMatchObject([
      { context: { sessionId: one } },
      { userId: other },
    ])
    const { state } = await nats.manager.streams.info('EVENTS')
    let stream = ''
    for (let seq = began.get('EVENTS')! + 1; seq <= state.last_seq; seq++)
      stream += (await nats.manager.streams.getMessage('EVENTS', { seq }))?.string()
    expect(stream.match(/"n":\d+/g)).toEqual([one, other, one].map(digits => `"n":${digits}`))
  })
})

describe('bad input', () => {
  it.each([
    ['malformed JSON', '{"writeKey":"shop","batch":[}', 400, 'malformed'],
    ['an empty body', '', 400, 'malformed'],
    ['a list', '[]', 401, 'unknown_key'],
    ['no batch', '{"writeKey":"shop"}', 400, 'malformed'],
    ['a batch that is no list', '{"writeKey":"shop","batch":{}}', 400, 'malformed'],
    ['too many messages', `{"writeKey":"shop","batch":[${'0,'.repeat(5_000)}0]}`, 413, 'too_large'],
    ['no write key', '{"batch":[]}', 401, 'unknown_key'],
    ['an unknown write key', '{"writeKey":"nobody","batch":[]}', 401, 'unknown_key'],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"writeKey":"shop","batch":["'), 0xff, 0xfe]), 400, 'malformed'],
    ['10 MB', Buffer.alloc(10 * 1024 * 1024, 'x'), 413, 'too_large'],
    ['one byte too many', `{"writeKey":"shop","batch":[]}${' '.repeat(MAX_BATCH_BYTES - 29)}`, 413, 'too_large'],
  ])('is answered: %s', async (_what, body, status, code) => {
    const answer = await post('/v1/batch', body)
    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect(answer.body.error.message).not.toMatch(/\bat .*\.ts/)
  })

  it('says where JSON is broken', async () => {
    const { body } = await post('/v1/batch', '{"writeKey":"shop","batch":[}')
    expect(body.error.message).toContain('}')
  })

  it('is answered 413 when its size was not announced', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(32)
    let left = 40
    const body = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk)
        else controller.close()
      },
    })
    const response = await fetch(`${url}/v1/batch`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect(response.status).toBe(413)
    expect(response.headers.get('connection')).toBe('close')
  })

  it('is answered 413 when it is a decompression bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
    expect(await post('/v1/batch', bomb, { 'Content-Encoding': 'gzip' })).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large' } },
    })
  })

  it('is answered when the encoding is a lie, or unknown', async () => {
    expect((await post('/v1/batch', '{}', { 'Content-Encoding': 'gzip' })).status).toBe(400)
    expect((await post('/v1/batch', '{}', { 'Content-Encoding': 'zstd' })).status).toBe(415)
    expect((await post('/v1/batch', 'a=b', { 'Content-Type': 'multipart/form-data' })).status).toBe(415)
  })

  it('of single messages is told and kept, and the good messages of the batch are stored', async () => {
    const visitor = newId('v')
    const bad = {
      unknown_type: track(visitor, { type: 'click' }),
      wrong_type: track(visitor, { event: 5 }),
      missing_field: track(visitor, { event: undefined }),
      too_large: track(visitor, { properties: { text: 'x'.repeat(33 * 1024) } }),
      too_long: track(visitor, { event: 'x'.repeat(300) }),
      forbidden_key: track(visitor, { properties: JSON.parse('{"__proto__": {"isAdmin": true}}') }),
      timestamp_out_of_range: track(visitor, { timestamp: '1970-01-01T00:00:00.000Z' }),
      invalid_timestamp: track(visitor, { timestamp: 'soon' }),
    }
    const future = track(visitor, { timestamp: '2100-01-01T00:00:00.000Z' })
    const good = [track(visitor), track(visitor)]
    const batch = [good[0], ...Object.values(bad), future, null, good[1]]
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect(status).toBe(200)
    expect(body.accepted).toBe(2)
    expect(body.rejected.map(({ code }) => code)).toEqual([
      ...Object.keys(bad),
      'timestamp_out_of_range',
      'not_an_object',
    ])
    expect(idsOf(await eventsOf(visitor))).toEqual(good.map(message => message.messageId))
    const refused = (await streamOf<RejectedEnvelope>('REJECTED')).flatMap(({ rejected }) => rejected)
    for (const { messageId, code, reason } of body.rejected)
      expect(refused.find(kept => kept.messageId === messageId && kept.code === code)?.reason).toBe(reason)
    expect(refused.find(kept => kept.code === 'forbidden_key')?.payload).toContain('"__proto__"')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('of a clock that was put right, or a stale sentAt, is stored and marked', async () => {
    const visitor = newId('v')
    const sentAt = new Date().toISOString()
    const batch = [
      track(visitor, { timestamp: '2099-01-01T00:00:00.000Z' }),
      track(visitor, { timestamp: '1970-01-01T00:00:00.000Z' }),
      track(visitor, { sentAt: null }),
    ]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch, sentAt })
    expect(body).toMatchObject({ accepted: 3, rejected: [] })
    const stored = (await eventsOf(visitor)).flatMap(({ messages }) => messages)
    expect(stored.map(({ timestamp }) => Date.parse(timestamp) >= Date.parse(sentAt))).toEqual([true, true, true])
    expect(stored.map(({ context, originalTimestamp }) => [context?.timeClamped, originalTimestamp])).toEqual([
      [true, '2099-01-01T00:00:00.000Z'],
      [true, '1970-01-01T00:00:00.000Z'],
      [undefined, undefined],
    ])
  })

  it('of ids that are none is told, for each id', async () => {
    const visitor = newId('v')
    const bad = [
      track('[object Object]'),
      track(visitor, { userId: 'undefined' }),
      track(visitor, { type: 'alias', userId: 'u', previousId: 'null' }),
      track(visitor, { type: 'group', groupId: ' ' }),
    ]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch: [...bad, track(visitor)] })
    expect(body).toMatchObject({ accepted: 1, rejected: bad.map(() => ({ code: 'invalid_id' })) })
    expect(body.rejected.map(({ reason }) => reason.split(' ')[0])).toEqual([
      'anonymousId',
      'userId',
      'previousId',
      'groupId',
    ])
  })

  it('of lone surrogates is mended', async () => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor, { event: 'LONE' })] })
    await post('/v1/batch', text.replace('LONE', 'x\\ud800y'))
    expect((await eventsOf(visitor))[0]?.messages[0]?.event).toBe('x\ufffdy')
  })

  it('of any kind leaves no stack trace and no crash', async () => {
    for (const body of ['null', '5', '"text"', 'true', '{"__proto__":{"batch":[]}}', '['.repeat(100_000)])
      expect((await post('/v1/batch?writeKey=shop', body)).status).toBe(400)
    for (const body of ['null', '{}', '{"anonymousId":"a","slots":[{}]}'])
      expect((await post('/v1/slots?writeKey=shop', body)).status).toBe(400)
    const deep = `{"anonymousId":"a","slots":[{"id":"h"}],"context":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_001)}`
    expect((await post('/v1/slots?writeKey=shop', deep)).status).toBe(400)
    expect((await fetch(`${url}/v1/projects/%E0%A4%A/settings`)).status).toBe(400)
    expect((await fetch(`${url}/demo/%E0%A4%A`)).status).toBe(404)
  })

  it('of a client that leaves half-way harms nobody', async () => {
    const { port } = new URL(url)
    await new Promise<void>(resolve => {
      const socket = connectSocket(Number(port), '127.0.0.1', () => {
        socket.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"ba')
        setTimeout(() => socket.destroy(), 50)
      })
      socket.once('close', () => resolve())
    })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('of methods and paths that are not there', async () => {
    const response = await fetch(`${url}/v1/batch`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    expect((await post('/v1/nowhere', {})).body.error.code).toBe('not_found')
  })
})

describe('CORS', () => {
  const preflight = (path: string, origin: string, asked: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', ...asked },
    })

  it('answers preflights', async () => {
    const response = await preflight('/v1/batch', 'https://anywhere.example')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://anywhere.example')
    expect(response.headers.get('access-control-allow-headers')).toBe('Content-Type, Authorization, Content-Encoding')
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0)
  })

  it('allows the headers that a library asks for, and only names of headers', async () => {
    const allowed = async (asked: string) => {
      const answer = await preflight('/v1/track', 'https://anywhere.example', {
        'Access-Control-Request-Headers': asked,
      })
      return [answer.status, answer.headers.get('access-control-allow-headers'), answer.headers.get('vary')]
    }
    const vary = 'Origin, Access-Control-Request-Headers'
    // RudderStack's.
    expect(await allowed('anonymousid,authorization,content-type')).toEqual([
      204,
      'anonymousid,authorization,content-type',
      vary,
    ])
    const usual = [204, 'Content-Type, Authorization, Content-Encoding', vary]
    expect(await allowed('no names: at all')).toEqual(usual)
    expect(await allowed('x'.repeat(2_000))).toEqual(usual)
  })

  it('lets the pages of a site in, and no others', async () => {
    const batch = { writeKey: 'strict', batch: [track(newId('v'))] }
    const own = await post('/v1/batch', batch, { Origin: 'https://strict.example' })
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, 'https://strict.example'])
    expect(own.headers.get('vary')).toContain('Origin')
    const other = await post('/v1/batch', batch, { Origin: 'https://other.example' })
    expect(other).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } })
    expect((await post('/v1/batch', batch)).status).toBe(200)
  })

  it('lets pages read errors, and when to come again', async () => {
    const { headers } = await post('/v1/batch', '{', { Origin: 'https://anywhere.example' })
    expect(headers.get('access-control-allow-origin')).toBe('https://anywhere.example')
    expect(headers.get('access-control-expose-headers')).toBe('Retry-After')
  })

  it('keeps pages away from the admin routes', async () => {
    for (const path of ['/v1/admin/sites', '/v1/admin', '/V1/Admin/sites/', '/v1/admin/nowhere']) {
      const response = await preflight(path, 'https://anywhere.example', {
        'Access-Control-Request-Headers': 'authorization',
      })
      expect(response.status).toBe(401)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(response.headers.get('access-control-allow-headers')).toBeNull()
    }
  })
})

describe('slots', () => {
  const ask = (visitor: string, rest: object = {}) =>
    post('/v1/slots', { writeKey: 'shop', anonymousId: visitor, slots: [{ id: 'hero' }], ...rest })

  async function withDecider<T>(decide: (request: DecideRequest) => object | undefined, use: () => Promise<T>) {
    const subscription = nats.connection.subscribe('decide.*', {
      callback(_error, message) {
        const reply = decide(message.json<DecideRequest>())
        if (reply) message.respond(JSON.stringify(reply))
      },
    })
    await nats.connection.flush()
    try {
      return await use()
    } finally {
      subscription.unsubscribe()
      await nats.connection.flush()
    }
  }

  const decision = { slotId: 'hero', decisionId: 'd', outcome: 'served', items: [] }

  it('are decided by the owner of the partition, after what the page did counts', async () => {
    const visitor = newId('v')
    const seen: DecideRequest[] = []
    const batches = [
      { batchId: newId('b'), batch: [track(visitor), track(visitor)], sentAt: new Date().toISOString() },
      { batch: 'broken' },
      { batchId: newId('b'), batch: [null] },
    ]
    const { status, body } = await withDecider(
      request => {
        seen.push(request)
        return { decisions: [decision] }
      },
      () =>
        ask(visitor, {
          batches,
          batch: [track(visitor)],
          after: 1,
          context: { sessionId: 's' },
          explain: true,
        }),
    )
    expect(status).toBe(200)
    expect(body.decisions).toEqual([decision])
    expect(body.batches).toMatchObject([
      { success: true, accepted: 2 },
      { success: false, error: { code: 'malformed' } },
      { success: true, accepted: 0, rejected: [{ code: 'not_an_object' }] },
    ])
    const stored = await eventsOf(visitor)
    expect(stored.map(({ messages }) => messages.length)).toEqual([2, 1])
    expect(body.position).toBe(stored[1]?.seq)
    expect(seen).toMatchObject([
      {
        siteId: 'shop',
        visitorId: visitor,
        anonymousId: visitor,
        slots: [{ id: 'hero' }],
        context: { sessionId: 's' },
        after: body.position,
        explain: true,
      },
    ])
    expect(seen[0]?.deadlineMs).toBeLessThan(DECIDE_TIMEOUT_MS)
  })

  it('are decided for ids that are numbers', async () => {
    const seen: DecideRequest[] = []
    const big = '175928847299117063'
    const body = `{"writeKey":"shop","userId":${big},"slots":[{"id":"hero"}],"context":{"sessionId":1717243200,"n":${big}}}`
    const { status } = await withDecider(
      request => {
        seen.push(request)
        return { decisions: [decision] }
      },
      () => post('/v1/slots', body),
    )
    expect(status).toBe(200)
    expect(seen).toMatchObject([
      { visitorId: `user:${big}`, userId: big, context: { sessionId: '1717243200', n: big } },
    ])
  })

  it('store a sealed batch as /v1/batch would: sent both ways, it is there once', async () => {
    const visitor = newId('v')
    const sealed = { batchId: newId('b'), batch: [track(visitor)] }
    const { body } = await withDecider(
      () => ({ decisions: [decision] }),
      () => ask(visitor, { batches: [sealed] }),
    )
    const again = await post('/v1/batch', { ...sealed, writeKey: 'shop' })
    expect(again.body.position).toBe(body.position)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('wait for a position that an earlier answer gave', async () => {
    let after = -1
    await withDecider(
      request => {
        after = request.after
        return { decisions: [decision] }
      },
      () => ask(newId('v'), { after: 4711 }),
    )
    expect(after).toBe(4711)
  })

  it('do not explain themselves to sites that are not in debug', async () => {
    let explain: boolean | undefined
    await withDecider(
      request => {
        explain = request.explain
        return { decisions: [decision] }
      },
      () => ask(newId('v'), { writeKey: 'strict', explain: true }),
    )
    expect(explain).toBe(false)
  })

  it.each([
    ['unavailable', 'nobody owns the partition', undefined],
    ['timeout', 'the owner does not answer', () => undefined],
    ['unavailable', 'the owner answers nonsense', () => ({ nonsense: true })],
  ])('are %s when %s, and that is recorded', async (outcome, _why, decide) => {
    const visitor = newId('v')
    const asking = () =>
      ask(visitor, {
        slots: [{ id: 'hero' }, { id: 'list', count: 3 }],
        context: { sessionId: 's', pageViewId: 'p' },
        batch: [track(visitor)],
      })
    const { status, body } = await (decide ? withDecider(decide, asking) : asking())
    expect(status).toBe(200)
    expect(body.decisions).toMatchObject([
      { slotId: 'hero', outcome, items: [] },
      { slotId: 'list', outcome, items: [] },
    ])
    expect(await eventsOf(visitor)).toHaveLength(1)
    const [recorded] = await until(
      'the record',
      async () => (await streamOf<DecisionEnvelope>('DECISIONS')).filter(({ visitorId }) => visitorId === visitor),
      found => found.length === 1,
    )
    expect(recorded?.decisions.map(({ decisionId }) => decisionId)).toEqual(
      body.decisions.map(({ decisionId }) => decisionId),
    )
    expect(recorded?.decisions[0]).toMatchObject({
      slotId: 'hero',
      anonymousId: visitor,
      sessionId: 's',
      pageViewId: 'p',
      policy: 'none',
      policyVersion: '0',
      outcome,
      contentIds: [],
      propensities: [],
    })
  })
})

describe('a click on content', () => {
  const click = (visitor: string, contentId: string, context = {}) =>
    post('/v1/batch', {
      writeKey: 'shop',
      batch: [
        track(visitor),
        track(visitor, { event: 'Slot Clicked', properties: { slotId: 'hero', contentId }, context }),
        track(visitor, { event: 'Slot Viewed', properties: { slotId: 'hero', contentId } }),
      ],
    })
  const contexts = async (visitor: string) =>
    (await eventsOf(visitor)).flatMap(({ messages }) => messages.map(({ context }) => context?.content))

  it('is stored with the category that the content has then, and moves the interests of a rebuild, too', async () => {
    const content = { slots: [], payload: { title: 'Tents' } }
    await admin('PUT', '/sites/shop/content/tents', { id: 'tents', category: 'camp', ...content })
    const visitor = newId('v')
    await until(
      'the collector knows the content',
      async () => {
        await click(visitor, 'tents')
        return (await contexts(visitor)).slice(-3)
      },
      found => found[1] !== undefined,
    )
    await admin('PUT', '/sites/shop/content/tents', { id: 'tents', category: 'trail', ...content })
    const later = newId('v')
    await until(
      'the new category',
      async () => {
        await click(later, 'tents')
        return (await contexts(later)).at(-2)?.category
      },
      category => category === 'trail',
    )
    await admin('DELETE', '/sites/shop/content/tents')
    const [envelope] = (await eventsOf(visitor)).slice(-1)
    expect(envelope?.messages.map(({ context }) => context?.content)).toEqual([
      undefined,
      { category: 'camp' },
      undefined,
    ])
    expect(applyEnvelope(undefined, envelope!, 1)?.affinities).toEqual({ camp: 1 })
  })

  it('on what is in no catalog, or in that of another site, has none', async () => {
    await admin('PUT', '/sites/strict/content/theirs', { id: 'theirs', category: 'x', slots: [], payload: {} })
    const visitor = newId('v')
    for (const id of ['nothing', 'theirs', '', 'constructor']) await click(visitor, id)
    expect((await contexts(visitor)).filter(Boolean)).toEqual([])
  })
})

describe('what else is served', () => {
  it('the SDK, compressed, with an ETag', async () => {
    const response = await fetch(`${url}/sdk.js`, { headers: { 'Accept-Encoding': 'identity' } })
    expect(response.headers.get('content-type')).toContain('javascript')
    expect(response.headers.get('cache-control')).toContain('max-age')
    expect(await response.text()).toContain('window.slotstream')
    const etag = response.headers.get('etag')!
    const revalidate = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
    expect((await fetch(`${url}/sdk.js`, { headers: revalidate })).status).toBe(304)
    const packed = await fetch(`${url}/sdk.js`, { headers: { 'Accept-Encoding': 'gzip, br' } })
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(await packed.text()).toContain('window.slotstream')
    expect(Number(packed.headers.get('content-length'))).toBeLessThan(500)
  })

  it('the parts that the SDK loads, and nothing else of their folder', async () => {
    const part = await fetch(`${url}/sdk/some-part.js?v=1`)
    expect([part.status, await part.text()]).toEqual([200, 'export {}'])
    expect(part.headers.get('access-control-allow-origin')).toBe('*')
    for (const path of ['other.js', 'some-part.js.map', '..%2Fsdk.js', 'Some-Part.js'])
      expect((await fetch(`${url}/sdk/${path}`)).status).toBe(404)
  })

  it('the demo', async () => {
    expect(await (await fetch(`${url}/demo/`)).text()).toContain('demo')
    const response = await fetch(`${url}/demo`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([301, '/demo/'])
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe('/demo/')
  })

  it("the settings that Segment's browser library asks for", async () => {
    const response = await fetch(`${url}/v1/projects/shop/settings`)
    expect(await response.json()).toEqual({
      integrations: { 'Segment.io': { apiKey: 'shop', apiHost: `${new URL(url).host}/v1`, protocol: 'http' } },
    })
    expect((await fetch(`${url}/v1/projects/nobody/settings`)).status).toBe(401)
  })

  it('metrics', async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toMatch(/slotstream_http_requests_total\{route="\/v1\/batch",status="200"\} \d+/)
    expect(text).toMatch(/slotstream_http_requests_total\{route="\/v1\/admin\/sites\/:siteId",status="200"\} \d+/)
    expect(text).toMatch(/slotstream_messages_accepted_total \d+/)
    expect(text).toMatch(/slotstream_messages_rejected_total\{code="too_large"\} 1/)
    expect(text).toMatch(/slotstream_slot_decisions_total\{outcome="timeout"\} \d+/)
    expect(text).toMatch(/slotstream_publish_seconds_count \d+/)
  })
})

describe('the admin routes', () => {
  it('let nobody in without the token', async () => {
    for (const headers of [{}, { Authorization: 'Bearer wrong' }] as Record<string, string>[]) {
      const response = await fetch(`${url}/v1/admin/sites`, { headers })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } })
    }
  })

  it('make, list and delete sites, live', async () => {
    const made = await admin('PUT', '/sites/new', { name: 'New', writeKeys: ['new-key'] })
    expect(made).toMatchObject({ status: 200, body: { siteId: 'new', name: 'New', allowedOrigins: [] } })
    expect((await post('/v1/batch', { writeKey: 'new-key', batch: [] })).status).toBe(200)
    expect((await installation.buckets.sites.get('new'))?.json()).toEqual(made.body)
    expect(await admin('GET', '/sites')).toMatchObject({
      body: { sites: [{ siteId: 'new' }, { siteId: 'shop' }, { siteId: 'strict' }] },
    })
    expect((await admin('DELETE', '/sites/new')).status).toBe(200)
    expect((await post('/v1/batch', { writeKey: 'new-key', batch: [] })).status).toBe(401)
  })

  it('see what another collector or a script wrote', async () => {
    const site = { siteId: 'far', name: 'far', writeKeys: ['far-key'], allowedOrigins: ['*'], debug: false }
    await installation.buckets.sites.put('far', JSON.stringify(site))
    const send = () => post('/v1/batch', { writeKey: 'far-key', batch: [] })
    await until('the key is known', send, ({ status }) => status === 200)
    await installation.buckets.sites.delete('far')
    await until('the key is unknown', send, ({ status }) => status === 401)
  })

  it('refuse what is wrong, and a write key twice', async () => {
    expect(await admin('PUT', '/sites/Bad.Id', { writeKeys: ['x'] })).toMatchObject({ status: 400 })
    expect(await admin('PUT', '/sites/good', {})).toMatchObject({ status: 400 })
    expect(await admin('PUT', '/sites/thief', { writeKeys: ['shop'] })).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' } },
    })
    expect(await admin('GET', '/sites/nobody/catalog')).toMatchObject({ status: 404 })
  })

  it('keep the catalog', async () => {
    await admin('PUT', '/sites/cat', { writeKeys: ['cat'] })
    expect(await admin('GET', '/sites/cat/catalog')).toEqual({
      status: 200,
      body: { revision: 0, slots: [], content: [] },
    })
    const slot = { id: 'a slot/1', policy: { type: 'random' }, count: 2, holdout: 0 }
    expect((await admin('PUT', `/sites/cat/slots/${encodeURIComponent(slot.id)}`, slot)).body).toEqual(slot)
    const shoe = await admin('PUT', '/sites/cat/content/shoe', { slots: [slot.id] })
    expect(shoe).toMatchObject({ status: 200, body: { id: 'shoe' } })
    const entry = await installation.buckets.catalog.get(`cat.slot.${keyToken(slot.id)}`)
    expect(entry?.json()).toEqual(slot)
    const bulk = { slots: [{ id: 'hero' }], content: [{ id: 'hat', slots: ['hero'], payload: { title: 'Hat' } }] }
    expect((await admin('POST', '/sites/cat/catalog', bulk)).body).toEqual({ revision: 3, slots: 1, content: 1 })
    const { body } = await admin('GET', '/sites/cat/catalog')
    expect(body).toMatchObject({ slots: [slot, { id: 'hero' }], content: [{ id: 'hat' }, { id: 'shoe' }] })
    expect((await admin('DELETE', '/sites/cat/content/shoe')).status).toBe(200)
    expect((await admin('DELETE', '/sites/cat/content/shoe')).status).toBe(404)
    expect((await admin('DELETE', `/sites/cat/slots/${encodeURIComponent(slot.id)}`)).status).toBe(200)
    expect((await admin('GET', '/sites/cat/catalog')).body).toMatchObject({
      slots: [{ id: 'hero' }],
      content: [{ id: 'hat' }],
    })
    await admin('DELETE', '/sites/cat')
    expect((await installation.buckets.catalog.get('cat.slot.hero'))?.operation).not.toBe('PUT')
  })

  it('store nothing of a catalog in which something is wrong, and say all that is', async () => {
    await admin('PUT', '/sites/wrong', { writeKeys: ['wrong'] })
    const bulk = { slots: [{ id: 'ok' }, { id: 'x', count: 0 }], content: [{ id: 'c', slots: 'hero' }] }
    const { status, body } = await admin('POST', '/sites/wrong/catalog', bulk)
    expect(status).toBe(400)
    expect((body as Answer).error.details).toEqual([
      expect.stringMatching(/^slots\[1\]: count/),
      expect.stringMatching(/^content\[0\]: slots/),
    ])
    expect((await admin('GET', '/sites/wrong/catalog')).body).toEqual({ revision: 0, slots: [], content: [] })
    await admin('DELETE', '/sites/wrong')
  })

  it('change nothing by omission: a PUT keeps origins and secrets, a PATCH keeps all', async () => {
    const path = '/sites/patched'
    const origins = ['https://shop.example']
    const made = {
      siteId: 'patched',
      writeKeys: ['patched'],
      allowedOrigins: origins,
      secretKeys: ['secret-0123456789'],
    }
    expect(await admin('PATCH', path, { debug: true })).toMatchObject({ status: 404 })
    await admin('PUT', path, { ...made, enrichment: { bots: false, ip: 'truncated' }, spread: ['backend'] })
    const changed = await admin('PATCH', path, {
      name: 'Shop',
      enrichment: { ip: null, location: false },
      spread: null,
    })
    const { writeKeys, secretKeyFingerprints } = changed.body as {
      writeKeys: string[]
      secretKeyFingerprints: string[]
    }
    expect(changed).toEqual({
      status: 200,
      body: {
        siteId: 'patched',
        name: 'Shop',
        writeKeys: ['patched'],
        secretKeyFingerprints: [expect.any(String)],
        allowedOrigins: origins,
        debug: false,
        enrichment: { bots: false, location: false },
      },
    })
    const put = await admin('PUT', path, { writeKeys, debug: true })
    expect(put.body).toMatchObject({ name: 'patched', allowedOrigins: origins, secretKeyFingerprints, debug: true })
    expect(put.body).not.toHaveProperty('enrichment')
    expect((await admin('PUT', path, put.body)).body).toEqual(put.body)
    await admin('DELETE', path)
  })

  it('refuse unknown fields, with what was probably meant', async () => {
    await admin('PUT', '/sites/typo', { writeKeys: ['typo'] })
    const bodies: [string, string, object, string][] = [
      ['PUT', '/sites/typo', { writeKeys: ['typo'], allowedOrigin: ['*'] }, 'did you mean allowedOrigins?'],
      ['PATCH', '/sites/typo', { privacySignal: 'honour' }, 'did you mean privacySignals?'],
      ['PATCH', '/sites/typo', { siteId: 'shop' }, 'siteId must be typo'],
      ['PUT', '/sites/typo/slots/hero', { holdOut: 0.1 }, 'did you mean holdout?'],
      ['PUT', '/sites/typo/content/sale', { slots: [], startAt: '2026-11-27' }, 'did you mean startsAt?'],
      ['PUT', '/sites/typo/content/sale', { slots: ['hero'] }, 'the site has no slot "hero"'],
      ['POST', '/sites/typo/catalog', { contents: [] }, 'did you mean content?'],
      ['POST', '/sites/typo/catalog', { content: [{ id: 'c', slots: [], endAt: '' }] }, 'content[0]: endAt is unknown'],
      ['PUT', '/sites/typo/plan', { schemas: {}, modes: 'warn' }, 'did you mean mode?'],
      ['PUT', '/sites/typo/plan/mode', { mode: 'warn', unplaned: 'allow' }, 'did you mean unplanned?'],
      ['POST', '/sites/typo/rejected/replay', { messages: [], dryrun: true }, 'did you mean dryRun?'],
      ['POST', '/sites/typo/decisions/import', { decision: [] }, 'did you mean decisions?'],
    ]
    for (const [method, path, body, reason] of bodies) {
      const answer = await admin(method, path, body)
      expect([path, answer.status, (answer.body as Answer).error?.message]).toEqual([
        path,
        400,
        expect.stringContaining(reason),
      ])
    }
    expect((await admin('GET', '/sites/typo/catalog')).body).toEqual({ revision: 0, slots: [], content: [] })
    await admin('DELETE', '/sites/typo')
  })

  it('show a profile as the owner of its partition has it, and say what is missing without one', async () => {
    const unowned = await admin('GET', '/sites/shop/profiles/user:42')
    expect(unowned.status).toBe(503)
    expect((unowned.body as Answer).error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no aggregator with the role profiles has partition'),
    })

    const publisher = createPublisher(nats)
    const metrics = createMetrics()
    const profiles = await startProfiles({ nats, publisher, installation, metrics, log, identity: someIdentity() })
    try {
      await post('/v1/track', {
        writeKey: 'shop',
        userId: '42',
        event: 'Product Viewed',
        properties: { category: 'hats' },
      })
      const shown = await until(
        'the event counts',
        () => admin('GET', '/sites/shop/profiles/user:42'),
        ({ status }) => status === 200,
      )
      const { features: _states, patterns: _patterns, ...ownFields } = (await profiles.profileOf('shop', 'user:42'))!
      expect(shown.body).toMatchObject({ ...ownFields, person: { id: '42', userId: '42', browsers: [] } })
      expect(shown.body).toMatchObject({ siteId: 'shop', visitorId: 'user:42', events: 1, affinities: { hats: 1 } })
      const unknown = await admin('GET', '/sites/shop/profiles/nobody')
      expect(unknown.status).toBe(404)
      expect((unknown.body as Answer).error.message).toBe('there is no profile of this visitor')
      expect((await admin('GET', `/sites/shop/profiles/${'v'.repeat(2_000)}`)).status).toBe(404)
    } finally {
      await profiles.stop()
      publisher.close()
    }
  })

  it('import decisions with their times, once', async () => {
    const visitor = newId('v')
    const timestamp = '2019-11-24T00:00:01.000Z'
    const decisions = [
      {
        decisionId: 'i1',
        slotId: 's',
        anonymousId: visitor,
        timestamp,
        contentIds: ['7'],
        propensities: [0.1],
        position: 2,
      },
      { decisionId: 'i2', slotId: 's', anonymousId: visitor, timestamp },
      { decisionId: 'i3', slotId: 's', anonymousId: visitor },
    ]
    const first = await admin('POST', '/sites/shop/decisions/import', { decisions })
    expect(first).toMatchObject({
      status: 200,
      body: { imported: 2, rejected: [{ decisionId: 'i3', index: 2, reason: expect.stringContaining('timestamp') }] },
    })
    expect((await admin('POST', '/sites/shop/decisions/import', { decisions })).body).toEqual(first.body)
    const stored = (await streamOf<DecisionEnvelope>('DECISIONS')).filter(({ visitorId }) => visitorId === visitor)
    expect(stored.map(({ decisions: kept }) => kept)).toMatchObject([
      [{ decisionId: 'i1', timestamp, position: 2, propensities: [0.1], policy: 'imported' }, { decisionId: 'i2' }],
    ])
  })
})

describe('the publisher', () => {
  it('fails at once when no stream takes the subject', async () => {
    const publisher = createPublisher(nats)
    await expect(publisher.publish('nowhere.1', Buffer.from('{}'), newId())).rejects.toThrow('no stream')
    publisher.close()
  })

  it('gives up on an acknowledgement that does not come, and takes no more than its bound', async () => {
    const silent = nats.connection.subscribe('silent.*')
    const publisher = createPublisher(nats, { timeoutMs: 300, maxPending: 2 })
    const waiting = [1, 2].map(() => publisher.publish('silent.1', Buffer.from('{}'), newId()))
    await expect(publisher.publish('silent.1', Buffer.from('{}'), newId())).rejects.toThrow('too many')
    expect(publisher.pending).toBe(2)
    for (const result of await Promise.allSettled(waiting))
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('within 300 ms') },
      })
    expect(publisher.pending).toBe(0)
    publisher.close()
    silent.unsubscribe()
  })

  it('says which message was there already', async () => {
    const publisher = createPublisher(nats)
    const id = newId('dup')
    const body = Buffer.from(JSON.stringify({ siteId: 'x', visitorId: id, messages: [] }))
    const first = await publisher.publish('events.0', body, id)
    expect(first.duplicate).toBe(false)
    expect(await publisher.publish('events.0', body, id)).toEqual({ seq: first.seq, duplicate: true })
    publisher.close()
  })

  it('keeps the order of what it is given', async () => {
    const publisher = createPublisher(nats)
    const body = Buffer.from(JSON.stringify({ siteId: 'x', visitorId: 'order', messages: [] }))
    const stored = await Promise.all(
      Array.from({ length: 2_000 }, () => publisher.publish('events.0', body, newId('o'))),
    )
    const positions = stored.map(({ seq }) => seq)
    expect(positions).toEqual([...positions].sort((a, b) => a - b))
    publisher.close()
  })
})

describe('without NATS', () => {
  it('nothing is acknowledged, decisions are still answered, and all goes on by itself afterwards', async () => {
    const visitor = newId('v')
    const body = { writeKey: 'shop', batchId: newId('b'), batch: [track(visitor)] }
    await broker.kill()
    await until(
      'the collector notices',
      () => post('/v1/batch', { ...body, batch: [track('x')] }),
      r => r.status === 503,
    )
    const refused = await post('/v1/batch', body)
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    const retryAfter = Number(refused.headers.get('retry-after'))
    expect(retryAfter).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toBeLessThanOrEqual(5)

    const question = { writeKey: 'shop', anonymousId: visitor, slots: [{ id: 'hero' }] }
    const slots = await post('/v1/slots', { ...question, batches: [body] })
    expect(slots.status).toBe(200)
    expect(slots.body.decisions).toMatchObject([{ outcome: 'unavailable', items: [] }])
    expect(slots.body.batches).toMatchObject([{ success: false, error: { code: 'unavailable' } }])
    expect(slots.body).not.toHaveProperty('position')
    expect((await post('/v1/slots', { ...question, batch: [track(visitor)] })).status).toBe(503)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await admin('GET', '/sites')).status).toBe(503)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/slotstream_publish_failures_total\{code="not_connected"\} \d+/)

    await broker.start()
    const stored = await until(
      'the batch is taken',
      () => post('/v1/batch', body),
      ({ status }) => status === 200,
    )
    expect(stored.body.accepted).toBe(1)
    expect(idsOf(await eventsOf(visitor)).filter(id => id === body.batch[0]?.messageId)).toHaveLength(1)
    const site = { siteId: 'later', name: 'later', writeKeys: ['later'], allowedOrigins: ['*'], debug: false }
    await installation.buckets.sites.put('later', JSON.stringify(site))
    await until(
      'a new site is seen',
      () => post('/v1/batch', { writeKey: 'later', batch: [] }),
      ({ status }) => status === 200,
      { timeoutMs: 90_000 },
    )
  })
})

describe('the program', () => {
  const program = fileURLToPath(new URL('../../collector/dist/main.js', import.meta.url))

  function run(env: NodeJS.ProcessEnv) {
    const child: ChildProcess = spawn(process.execPath, [program], { env: { PATH: process.env.PATH, ...env } })
    let output = ''
    child.stdout?.on('data', chunk => {
      output += chunk
    })
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    return { child, exited, output: () => output }
  }

  it('refuses to start without an admin token, and says so', async () => {
    const { exited, output } = run({ NATS_URL: broker.url })
    expect(await exited).toBe(1)
    expect(output()).toContain('ADMIN_TOKEN must be set')
  })

  it('refuses a port that is taken, and says so', async () => {
    const { exited, output } = run({
      NATS_URL: broker.url,
      ADMIN_TOKEN: 'x',
      PORT: new URL(url).port,
      HOST: '127.0.0.1',
    })
    expect(await exited).toBe(1)
    expect(output()).toContain('is in use: set PORT')
  })

  it('finishes what it has begun when it is told to stop', async () => {
    const [port] = await freePorts(1)
    const { child, exited } = run({ NATS_URL: broker.url, ADMIN_TOKEN: 'x', PORT: String(port), HOST: '127.0.0.1' })
    const own = `http://127.0.0.1:${port}`
    await until(
      'ready',
      () => fetch(`${own}/readyz`),
      response => response.ok,
    )
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    const answer = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connectSocket(port!, '127.0.0.1', () => {
        socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${text.slice(0, 20)}`)
        setTimeout(() => child.kill('SIGTERM'), 200)
        setTimeout(() => socket.write(text.slice(20)), 700)
      })
      socket.on('data', chunk => {
        received += chunk
      })
      socket.once('close', () => resolve(received))
      socket.once('error', reject)
    })
    expect(answer).toContain('200 OK')
    expect(await exited).toBe(0)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })
})
