import { deflateSync, gzipSync } from 'node:zlib'
import type { EventEnvelope, RejectedEnvelope, RejectedMessage } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { WITHOUT_LIMITS } from '../support/without-limits.js'

const MAX_BATCH_MESSAGES = 5_000

let broker: Awaited<ReturnType<typeof startBroker>>
/** Takes whatever comes: what is tested there is not how often. */
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector({ settings: WITHOUT_LIMITS, decideTimeoutMs: 100 })
  for (const siteId of ['shop', 'other', 'zeros', 'real', 'deep', 'warned']) await putSite(url, siteId)
})

afterAll(() => broker?.stop())

interface Options {
  key?: string
  address?: string
  path?: string
  encoding?: 'gzip' | 'deflate'
}

async function send(at: string, body: unknown, { key = 'shop', address, path = '/v1/batch', encoding }: Options = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const packed = encoding === 'gzip' ? gzipSync(text) : encoding === 'deflate' ? deflateSync(text) : undefined
  const response = await fetch(`${at}${path}?writeKey=${key}`, {
    method: 'POST',
    headers: {
      ...(address ? { 'X-Forwarded-For': address } : {}),
      ...(encoding ? { 'Content-Encoding': encoding } : {}),
    },
    body: packed ?? text,
  })
  const answer = await response.text()
  const retryAfter = Number(response.headers.get('retry-after') ?? 0)
  return { status: response.status, size: answer.length, packed: packed?.length, retryAfter, body: JSON.parse(answer) }
}

let ids = 0
const track = (anonymousId: string, rest: object = {}) => ({
  type: 'track',
  event: 'E',
  messageId: `m-${++ids}`,
  anonymousId,
  ...rest,
})
const strangers = (count: number) => Array.from({ length: count }, () => track(`stranger-${++ids}`))

async function rejectedOf(siteId: string): Promise<RejectedMessage[]> {
  const envelopes = await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')
  return envelopes.filter(envelope => envelope.siteId === siteId).flatMap(({ rejected }) => rejected)
}

describe('messages', () => {
  it.each([
    ['from an address', {}],
    ['from loopback', { address: undefined }],
    ['with the key of the demo', { key: 'demo' }],
  ])('%s beyond its rate: one batch goes into debt, then nothing until it is paid', async (_what, options: Options) => {
    const strict = await broker.collector({ settings: { addressMessagesPerSecond: 100, siteMessagesPerSecond: 0 } })
    await putSite(strict, 'demo')
    const from = { address: '203.0.113.7', ...options }
    const batch = Array.from({ length: 1_000 }, () => track('v'))
    expect((await send(strict, { batch }, from)).status).toBe(200)
    const refused = await send(strict, { batch: [track('v')] }, from)
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
    expect(refused.retryAfter).toBeGreaterThanOrEqual(7)
    expect((await send(strict, { batch: [] }, { ...from, path: '/v1/slots' })).status).toBe(429)
    expect((await send(strict, { batch: [track('v')] }, { ...from, address: '203.0.113.8' })).status).toBe(200)
  })

  it('of a site are counted whatever address they come from, and another site is not touched', async () => {
    const strict = await broker.collector({ settings: { ...WITHOUT_LIMITS, siteMessagesPerSecond: 100 } })
    const batch = Array.from({ length: 1_000 }, () => track('v'))
    expect((await send(strict, { batch }, { address: '203.0.113.7' })).status).toBe(200)
    expect((await send(strict, { batch: [track('v')] }, { address: '203.0.113.8' })).status).toBe(429)
    const inBody = await send(strict, { writeKey: 'shop', batch: [track('v')] }, { key: '', address: '203.0.113.9' })
    expect(inBody.status).toBe(429)
    expect((await send(strict, { batch: [track('v')] }, { key: 'other', address: '203.0.113.7' })).status).toBe(200)
  })

  it('are counted by their size, too, and so is what is rejected as a whole', async () => {
    const strict = () => broker.collector({ settings: { ...WITHOUT_LIMITS, addressMessagesPerSecond: 20 } })
    const large = Array.from({ length: 14 }, () => track('v', { properties: { text: 'x'.repeat(30_000) } }))
    const bySize = await strict()
    expect((await send(bySize, { batch: large })).status).toBe(200)
    expect((await send(bySize, { batch: [] })).status).toBe(429)
    for (const [body, key] of [
      ['{', 'shop'],
      ['{}', 'nobody'],
    ] as const) {
      const one = await strict()
      const statuses = []
      for (let n = 0; n < 4; n++) statuses.push((await send(one, body, { key })).status)
      expect(statuses.at(-1)).toBe(429)
    }
  })

  it('of slot requests count: batches, and a decision for each slot', async () => {
    const settings = { ...WITHOUT_LIMITS, addressMessagesPerSecond: 10 }
    const strict = await broker.collector({ settings, decideTimeoutMs: 50 })
    const ask = (body: object) => send(strict, { anonymousId: 'v', ...body }, { path: '/v1/slots' })
    const slots = Array.from({ length: 20 }, (_, n) => ({ id: `s${n}` }))
    expect((await ask({ slots })).status).toBe(200)
    // Into a debt of a second: on a busy machine a tenth of one has passed before the next request.
    expect((await ask({ slots: slots.slice(0, 10) })).status).toBe(200)
    expect((await ask({ slots: [{ id: 's' }] })).status).toBe(429)
    const zeros = { batch: new Array(3_000).fill(0) }
    const tooMany = { anonymousId: 'v', slots: [{ id: 's' }], batches: [zeros, zeros] }
    expect((await send(url, tooMany, { path: '/v1/slots' })).status).toBe(413)
  })
})

describe('new visitors', () => {
  it('of an address and of a site have rates of their own; known ones cost nothing', async () => {
    const settings = { ...WITHOUT_LIMITS, addressVisitorsPerSecond: 10, siteVisitorsPerSecond: 30 }
    const strict = await broker.collector({ settings, decideTimeoutMs: 50 })
    const known = track('known')
    const from = (n: number) => ({ address: `203.0.113.${n}` })
    expect((await send(strict, { batch: [known] }, from(1))).status).toBe(200)
    for (let n = 0; n < 30; n++)
      expect((await send(strict, { batch: [track('known'), track('known')] }, from(1))).status).toBe(200)
    expect((await send(strict, { batch: strangers(25) }, from(1))).status).toBe(200)
    expect((await send(strict, { batch: [track('known')] }, from(1))).status).toBe(429)
    expect((await send(strict, { batch: strangers(25) }, from(2))).status).toBe(200)
    const late = await send(strict, { batch: strangers(1) }, from(3))
    expect([late.status, late.retryAfter > 0]).toEqual([429, true])
    expect((await send(strict, { batch: strangers(1) }, { ...from(3), key: 'other' })).status).toBe(200)
    // A flood must not cost known visitors their answers.
    expect((await send(strict, { batch: [track('known')] }, from(3))).status).toBe(200)
    const question = { anonymousId: 'known', slots: [{ id: 's' }] }
    expect((await send(strict, question, { ...from(3), path: '/v1/slots' })).status).toBe(200)
  })

  it('count in slot requests', async () => {
    const settings = { ...WITHOUT_LIMITS, addressVisitorsPerSecond: 5 }
    const strict = await broker.collector({ settings, decideTimeoutMs: 20 })
    const statuses = []
    for (let n = 0; n < 12; n++) {
      const question = { anonymousId: `asks-${n}`, slots: [{ id: 's' }] }
      statuses.push((await send(strict, question, { path: '/v1/slots' })).status)
    }
    expect(statuses).toContain(429)
  })
})

describe('rejected messages', () => {
  it.each([
    ['numbers', '0'],
    ['empty objects', '{}'],
    ['empty lists', '[]'],
  ])('that are %s by the thousand are told and stored by their number', async (_what, zero) => {
    const before = (await rejectedOf('zeros')).length
    const body = `{"batch":[${new Array(MAX_BATCH_MESSAGES).fill(zero).join()}]}`
    const sent = await send(url, body, { key: 'zeros', encoding: 'gzip' })
    expect(sent.packed).toBeLessThan(200)
    expect(sent.status).toBe(200)
    expect(sent.body.accepted).toBe(0)
    expect(sent.body.rejected.length + sent.body.moreRejected).toBe(MAX_BATCH_MESSAGES)
    const stored = (await rejectedOf('zeros')).slice(before)
    expect(sent.size).toBeLessThan(40_000)
    expect(JSON.stringify(stored).length).toBeLessThan(60_000)
    if (zero !== '{}') expect([sent.size < 4_000, stored.length]).toEqual([true, 21])
    const rest = stored.at(-1)!
    expect(rest).toMatchObject({ messageId: null, code: 'too_many_rejected' })
    expect(JSON.parse(rest.payload)).toMatchObject({ count: sent.body.moreRejected })
    expect(Object.values(JSON.parse(rest.payload).codes)).toEqual([sent.body.moreRejected])
  })

  it('of a whole request share one bound, however many batches it has', async () => {
    const before = (await rejectedOf('zeros')).length
    const batches = Array.from({ length: 50 }, () => ({ batch: new Array(90).fill(0) }))
    const question = { anonymousId: 'v', slots: [{ id: 's' }], batches }
    const sent = await send(url, question, { key: 'zeros', path: '/v1/slots' })
    expect(sent.size).toBeLessThan(8_000)
    expect((await rejectedOf('zeros')).length - before).toBeLessThan(80)
  })

  it('that are messages of a real site are all told and stored', async () => {
    const page = { url: 'https://shop.example/tents', path: '/tents', title: 'Tents', referrer: '' }
    const batch = Array.from({ length: 100 }, (_, n) => ({
      type: 'track',
      messageId: `0199d0c5-aaaa-7000-8000-${String(n).padStart(12, '0')}`,
      anonymousId: '0199d0c5-bbbb-7000-8000-000000000001',
      timestamp: '1999-01-01T00:00:00Z',
      event: 'Product Viewed',
      properties: { product_id: `sku-${n}`, price: 19.9 },
      context: { page, locale: 'de-DE' },
    }))
    const { body } = await send(url, { batch }, { key: 'real' })
    expect([body.rejected.length, body.moreRejected]).toEqual([100, undefined])
    expect((await rejectedOf('real')).map(({ code }) => code)).toEqual(new Array(100).fill('timestamp_out_of_range'))
  })

  it('that break a plan which only warns are told by their number, and stored', async () => {
    await fetch(`${url}/v1/admin/sites/warned/plan`, {
      method: 'PUT',
      headers: { Authorization: 'Bearer secret' },
      body: JSON.stringify({
        mode: 'warn',
        schemas: { E: { '1-0-0': { type: 'object', required: ['price'] } } },
      }),
    })
    const batch = Array.from({ length: 2_000 }, (_, n) => ({
      type: 'track',
      event: 'E',
      anonymousId: 'v',
      messageId: `${n}`,
    }))
    const { body, size } = await send(url, { batch }, { key: 'warned' })
    expect(body.accepted).toBe(2_000)
    expect(body.violations.length + (body.moreViolations ?? 0)).toBe(2_000)
    expect(size).toBeLessThan(700_000)
  })
})

describe('bodies that expand', () => {
  it.each(['gzip', 'deflate'] as const)('beyond a hundred times their size are rejected: %s', async encoding => {
    const spaces = `{"batch":[]${' '.repeat(400_000)}}`
    const sent = await send(url, spaces, { encoding })
    expect(sent).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } })
    expect(sent.body.error.message).toContain('100 times')
  })

  it('as the most repetitive batches do are taken', async () => {
    const batch = Array.from({ length: 1_500 }, () => ({
      ...track('the-same-visitor-all-the-time'),
      properties: { product_id: 'sku-1', category: 'camp', list: 'the same for all', price: 19.9, currency: 'EUR' },
    }))
    const text = JSON.stringify({ batch })
    const sent = await send(url, text, { encoding: 'gzip' })
    expect(sent.status).toBe(200)
    expect(text.length / sent.packed!).toBeLessThan(80)
  })
})

describe('values nested 100,000 deep', () => {
  const nested = (open: string, close: string) => `${open.repeat(100_000)}1${close.repeat(100_000)}`
  const list = nested('[', ']')
  const object = nested('{"a":', '}').slice(0, 450_000)

  it.each([
    'type',
    'event',
    'name',
    'anonymousId',
    'userId',
    'previousId',
    'groupId',
    'messageId',
    'timestamp',
    'sentAt',
    'properties',
    'traits',
    'context',
    'anything',
  ])('in %s reject their message, and the others of the batch are stored', async field => {
    const good = track('deep', { messageId: `good-${field}` })
    const bad = JSON.stringify(track('deep', { [field]: 'HERE' })).replace('"HERE"', list)
    const { status, body } = await send(url, `{"batch":[${bad},${JSON.stringify(good)}]}`, { key: 'deep' })
    expect([field, status, body.accepted, body.rejected?.length]).toEqual([field, 200, 1, 1])
    const stored = (await readAll<EventEnvelope>(broker.nats)).flatMap(({ messages }) => messages)
    expect(stored.some(({ messageId }) => messageId === good.messageId)).toBe(true)
  })

  it.each(['sentAt', 'batchId', 'ledger', 'writeKey', 'context', 'anything'])(
    'in %s of a batch never lose it with a 500',
    async field => {
      const good = JSON.stringify(track('deep'))
      for (const deep of [list, `{"a":${list}}`]) {
        const { status } = await send(url, `{"${field}":${deep},"batch":[${good}]}`, { key: 'deep' })
        expect([field, status]).not.toEqual([field, 500])
      }
    },
  )

  it.each(['anonymousId', 'userId', 'slots', 'batch', 'batches', 'after', 'context', 'sentAt', 'explain'])(
    'in %s of a slot request are not answered 500',
    async field => {
      const rest = { anonymousId: 'v', slots: [{ id: 's' }], [field]: 'HERE' }
      for (const deep of [list, `[${list}]`]) {
        const question = JSON.stringify(rest).replace('"HERE"', deep)
        const { status } = await send(url, question, { key: 'deep', path: '/v1/slots' })
        expect([field, status === 500]).toEqual([field, false])
      }
    },
  )

  it.each([
    ['PUT', '/sites/deep', '{"writeKeys":["deep"],"enrichment":HERE}'],
    ['PUT', '/sites/deep', '{"writeKeys":HERE}'],
    ['PUT', '/sites/deep/plan', '{"schemas":{"E":{"1-0-0":HERE}}}'],
    ['PUT', '/sites/deep/content/c', '{"slots":["s"],"payload":{"a":HERE}}'],
    ['PUT', '/sites/deep/slots/s', '{"policy":HERE}'],
    ['POST', '/sites/deep/catalog', '{"content":[{"id":"c","slots":["s"],"payload":HERE}]}'],
    ['POST', '/sites/deep/catalog', '{"content":[{"id":"c","slots":[],"attributes":{"a":HERE}}]}'],
    ['POST', '/sites/deep/catalog', '{"content":[{"id":"c","slots":[],"where":{"$and":HERE}}]}'],
    ['POST', '/sites/deep/catalog', '{"slots":[{"id":"s","schema":{"type":"object","allOf":HERE}}]}'],
    ['POST', '/sites/deep/catalog', '{"tests":[{"slot":"s","expect":{"never":[]},"given":{"context":{"a":HERE}}}]}'],
    ['POST', '/sites/deep/catalog/publish', '{"tests":HERE}'],
    ['POST', '/sites/deep/decisions/import', '{"decisions":[{"features":HERE}]}'],
    [
      'POST',
      '/sites/deep/rejected/replay',
      '{"messages":[{"message":{"messageId":"m","event":HERE},"receivedAt":"2026-01-01T00:00:00Z"}]}',
    ],
  ])('are answered by the admin routes: %s %s %s', async (method, path, body) => {
    for (const deep of [list, object]) {
      const response = await fetch(`${url}/v1/admin${path}`, {
        method,
        headers: { Authorization: 'Bearer secret' },
        body: body.replace('HERE', deep),
      })
      expect(response.status).toBe(400)
    }
  })
})
