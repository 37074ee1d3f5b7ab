import type { EventEnvelope, RejectedEnvelope } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

const SECRET = 'sk_live_0123456789abcdef'
const PAGE = 'https://shop.example'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop')
  await putSite(url, 'strict', { allowedOrigins: [PAGE], secretKeys: [SECRET] })
  await putSite(url, 'private', { privacySignals: 'honour' })
})
afterAll(() => broker?.stop())

const base64 = (message: unknown) => Buffer.from(JSON.stringify(message)).toString('base64')

/** Loads a pixel, and holds the answer to what it always is. */
async function load(path: string, init: RequestInit = {}, at = url) {
  const response = await fetch(`${at}/v1/pixel/${path}`, init)
  const { headers } = response
  expect([response.status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
    200,
    'image/gif',
    'no-store',
  ])
  const image = Buffer.from(await response.arrayBuffer())
  if (init.method !== 'HEAD') {
    expect(image.subarray(0, 6).toString()).toBe('GIF89a')
    expect([image.readUInt16LE(6), image.readUInt16LE(8), image.at(-1)]).toEqual([1, 1, 0x3b])
  }
  return headers.get('x-slotstream-rejected')
}

const query = (message: object, rest = '') => `data=${encodeURIComponent(base64(message))}${rest}`

async function messagesOf(visitor: string) {
  const envelopes = await readAll<EventEnvelope>(broker.nats)
  return envelopes.filter(({ visitorId }) => visitorId === visitor).flatMap(({ messages }) => messages)
}

describe('the pixel', () => {
  it.each([
    ['track', { event: 'Mail Opened', properties: { campaign: 'spring' } }],
    ['page', { name: 'Home' }],
    ['screen', { name: 'Start' }],
    ['identify', { traits: { plan: 'pro' } }],
    ['group', { groupId: 'g1' }],
    ['alias', { previousId: 'p1' }],
  ])('takes a %s', async (type, rest) => {
    const anonymousId = `of-${type}`
    expect(await load(`${type}?${query({ writeKey: 'shop', anonymousId, ...rest })}`)).toBeNull()
    const messages = await messagesOf(anonymousId)
    expect(messages).toMatchObject([{ type, ...rest }])
    expect(messages[0]).not.toHaveProperty('writeKey')
  })

  it('takes the key from the query, and Base64 however it is written', async () => {
    const message = { anonymousId: 'v64', event: 'ö?>~ü', properties: { text: '>>>???~~~' } }
    const plain = base64(message)
    expect(plain).toMatch(/[+/]/)
    const forUrls = Buffer.from(JSON.stringify(message)).toString('base64url')
    for (const data of [encodeURIComponent(plain), plain, forUrls])
      expect(await load(`track?data=${data}&writeKey=shop`)).toBeNull()
    expect(await messagesOf('v64')).toMatchObject([message, message, message])
  })

  it('with a messageId counts once, without one each time', async () => {
    const named = query({ writeKey: 'shop', anonymousId: 'twice', messageId: 'mail-1', event: 'Opened' })
    for (let n = 0; n < 3; n++) await load(`track?${named}`)
    expect(await messagesOf('twice')).toHaveLength(1)
    const unnamed = query({ writeKey: 'shop', anonymousId: 'each', event: 'Opened' })
    for (let n = 0; n < 3; n++) await load(`track/?${unnamed}`)
    expect(await messagesOf('each')).toHaveLength(3)
  })

  it('answers the image whatever is wrong, and says what', async () => {
    const good = { writeKey: 'shop', anonymousId: 'wrong', event: 'E' }
    expect(await load('track')).toBe('malformed')
    expect(await load('track?data=')).toBe('malformed')
    expect(await load('track?data=%7B%7D')).toBe('malformed')
    expect(await load(`track?data=${Buffer.from('{"a":').toString('base64')}`)).toBe('malformed')
    expect(await load(`track?data=${Buffer.from([0x7b, 0xff]).toString('base64')}`)).toBe('malformed')
    expect(await load(`track?${query(['shop'], '&writeKey=shop')}`)).toBe('malformed')
    expect(await load(`track?${query({ ...good, writeKey: undefined })}`)).toBe('unknown_key')
    expect(await load(`track?${query({ ...good, writeKey: 'nobody' })}`)).toBe('unknown_key')
    expect(await load(`track?${query({ writeKey: 'shop', anonymousId: 'wrong' })}`)).toBe('missing_field')
    expect(await messagesOf('wrong')).toEqual([])
    const stored = await until(
      'the rejected message',
      () => readAll<RejectedEnvelope>(broker.nats, 'REJECTED'),
      envelopes => envelopes.length > 0,
    )
    expect(stored.flatMap(({ rejected }) => rejected)).toMatchObject([{ code: 'missing_field' }])
  })

  it('stores nothing for HEAD, and takes no POST', async () => {
    const path = `track?${query({ writeKey: 'shop', anonymousId: 'head', event: 'E' })}`
    await load(path, { method: 'HEAD' })
    const posted = await fetch(`${url}/v1/pixel/${path}`, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, OPTIONS'])
    expect((await fetch(`${url}/v1/pixel/nothing?${path}`)).status).toBe(404)
    expect(await messagesOf('head')).toEqual([])
  })

  it('takes no secret key, no foreign page, and nothing that the site honours an objection to', async () => {
    const message = { anonymousId: 'guarded', event: 'E' }
    expect(await load(`track?${query(message, `&writeKey=${SECRET}`)}`)).toBe('secret_key_in_page')
    expect(await load(`track?${query({ ...message, writeKey: SECRET })}`)).toBe('secret_key_in_page')
    const known = { userId: 'guarded', event: 'E', writeKey: 'strict' }
    expect(await load(`track?${query(known)}`)).toBe('secret_key_required')
    const strict = `track?${query(message, '&writeKey=strict')}`
    expect(await load(strict, { headers: { Origin: 'https://other.example' } })).toBe('origin_not_allowed')
    expect(await load(`track?${query(message, '&writeKey=private')}`, { headers: { DNT: '1' } })).toBeNull()
    expect(await messagesOf('guarded')).toEqual([])
    expect(await load(strict, { headers: { Origin: PAGE } })).toBeNull()
    expect(await messagesOf('guarded')).toHaveLength(1)
  })

  it('is held to the limits of its address, like any message', async () => {
    const limited = await broker.collector({ settings: { addressPerSecond: 1, trustProxy: 1 } })
    const headers = { 'X-Forwarded-For': '203.0.113.9' }
    const codes: (string | null)[] = []
    for (let n = 0; n < 8; n++)
      codes.push(
        await load(`track?${query({ writeKey: 'shop', anonymousId: 'many', event: 'E' })}`, { headers }, limited),
      )
    expect(codes).toContain('rate_limited')
    expect(await messagesOf('many')).toHaveLength(codes.filter(code => code === null).length)
  })
})
