import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { EventEnvelope, RejectedEnvelope } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop')
})

afterAll(() => broker?.stop())

let ids = 0
const track = (rest: object = {}) => ({ type: 'track', event: 'E', messageId: `m-${++ids}`, anonymousId: 'v', ...rest })

function post(at: string, body: unknown, headers: Record<string, string> = {}, path = '/v1/batch'): Promise<Response> {
  return fetch(`${at}${path}`, {
    method: 'POST',
    headers,
    body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
  })
}

async function statuses(requests: Promise<Response>[]): Promise<number[]> {
  return Promise.all(requests.map(async request => (await request).status))
}

async function storedById(messageId: string) {
  const all = (await readAll<EventEnvelope>(broker.nats)).flatMap(({ messages }) => messages)
  return all.find(message => message.messageId === messageId)
}

/** Writes to a socket and waits until the collector closes it. */
function talk(at: string, text: string): Promise<string> {
  return new Promise(resolve => {
    let received = ''
    const socket = connect(Number(new URL(at).port), '127.0.0.1', () => socket.write(text))
    socket.on('data', chunk => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(received))
  })
}

describe('clients that come too often', () => {
  it('are told when to come again, each address for itself', async () => {
    const strict = await broker.collector({ settings: { addressPerSecond: 1 } })
    const from = (address: string) =>
      post(strict, { writeKey: 'shop', batch: [track()] }, { 'X-Forwarded-For': address })
    expect(await statuses(Array.from({ length: 4 }, () => from('203.0.113.1')))).toEqual([200, 200, 200, 200])
    const refused = await from('203.0.113.1')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limited' } })
    expect((await from('203.0.113.2')).status).toBe(200)
    expect(
      await statuses(Array.from({ length: 20 }, () => post(strict, { writeKey: 'shop', batch: [] }))),
    ).not.toContain(429)
  })

  it('cannot hide behind an address of their own making where no proxy is trusted', async () => {
    const bare = await broker.collector({ settings: { addressPerSecond: 1, trustProxy: [] } })
    const answers = await statuses(
      Array.from({ length: 5 }, (_, n) =>
        post(bare, { writeKey: 'shop', batch: [] }, { 'X-Forwarded-For': `203.0.113.${n}` }),
      ),
    )
    expect(answers.filter(status => status === 429)).toHaveLength(1)
  })

  it('are counted by the rate of their site, which changes live', async () => {
    await putSite(url, 'slow', { requestsPerSecond: 1 })
    const send = () => post(url, { writeKey: 'slow', batch: [] })
    expect(await statuses([send(), send(), send()])).toContain(429)
    await putSite(url, 'slow', { requestsPerSecond: 1_000 })
    expect(await statuses(Array.from({ length: 10 }, send))).not.toContain(429)
  })
})

describe('clients that take too long', () => {
  it('for their headers are let go', async () => {
    const strict = await broker.collector({ settings: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
    expect(await talk(strict, 'POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-')).toContain('408 Request Timeout')
  })

  it('for their body are let go', async () => {
    const strict = await broker.collector({ settings: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
    const head = 'POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"batch"'
    await talk(strict, head)
    expect((await post(strict, { writeKey: 'shop', batch: [] })).status).toBe(200)
  })

  it('are never more than there is room for', async () => {
    const strict = await broker.collector({ settings: { maxConnections: 2 } })
    const port = Number(new URL(strict).port)
    const open = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    await Promise.race(open.map(socket => new Promise(resolve => socket.on('close', resolve).on('error', () => {}))))
    for (const socket of open) socket.destroy()
  })
})

describe('bodies that are meant to hurt', () => {
  it('of zeros by the gigabyte are rejected one after the other', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const answers = await statuses(
      Array.from({ length: 20 }, () =>
        post(url, bomb, { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' }),
      ),
    )
    expect(new Set(answers)).toEqual(new Set([413]))
  })

  it('of thousands of keys are rejected and kept', async () => {
    const properties = Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`k${n}`, 1]))
    const answer = await (await post(url, { writeKey: 'shop', batch: [track({ properties }), track()] })).json()
    expect(answer).toMatchObject({ accepted: 1, rejected: [{ code: 'too_many_keys' }] })
  })
})

describe('an answer', () => {
  it('carries the id of its request, that of the proxy if there is one', async () => {
    const own = await post(url, { writeKey: 'shop', batch: [] })
    expect(own.headers.get('x-request-id')).toMatch(/^[\w-]+$/)
    const given = await post(url, 'nonsense', { 'X-Request-Id': 'proxy-1' })
    expect([given.status, given.headers.get('x-request-id')]).toEqual([401, 'proxy-1'])
    expect((await fetch(`${url}/healthz`)).headers.get('x-request-id')).toBeTruthy()
  })

  it('with a page is protected', async () => {
    const { headers } = await fetch(`${url}/demo/`)
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect((await fetch(`${url}/sdk.js`)).headers.get('content-security-policy')).toBeNull()
  })
})

describe('what is stored', () => {
  const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'

  it('has device and way in, no address, and no secrets of page addresses', async () => {
    const page = { url: 'https://shop.example/?password=hunter2', referrer: 'https://www.google.com/' }
    const message = track({ type: 'page', properties: { url: page.url }, context: { page, ip: '203.0.113.7' } })
    await post(url, { writeKey: 'shop', batch: [message] }, { 'User-Agent': CHROME, 'X-Forwarded-For': '203.0.113.8' })
    const stored = await storedById(message.messageId)
    expect(stored?.context).toMatchObject({
      browser: { name: 'Chrome' },
      device: { type: 'desktop' },
      traffic: { channel: 'search', source: 'google' },
      userAgent: CHROME,
    })
    const text = JSON.stringify(stored)
    expect(text).not.toContain('203.0.113')
    expect(text).not.toContain('hunter2')
  })

  it('has none of them either when it was rejected', async () => {
    const message = track({ event: 5, context: { page: { url: '/?token=hunter2' }, ip: '203.0.113.7' } })
    await post(url, { writeKey: 'shop', batch: [message] })
    const rejected = (await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')).flatMap(envelope => envelope.rejected)
    const kept = rejected.find(({ messageId }) => messageId === message.messageId)
    expect(kept?.payload).toContain('/?token=redacted')
    expect(kept?.payload).not.toContain('203.0.113')
  })

  it('follows the settings of the site, changed live', async () => {
    await putSite(url, 'quiet', { enrichment: { ip: 'truncated' } })
    const send = async () => {
      const message = track()
      await post(
        url,
        { writeKey: 'quiet', batch: [message] },
        { 'X-Forwarded-For': '203.0.113.8', 'User-Agent': CHROME },
      )
      return (await storedById(message.messageId))?.context
    }
    expect(await send()).toMatchObject({ ip: '203.0.113.0', browser: { name: 'Chrome' } })
    await putSite(url, 'quiet', { enrichment: { userAgent: false } })
    expect(await send()).toEqual({ userAgent: CHROME })
  })

  it('has an id of its own where the given one is no id, once for each different message', async () => {
    const batch = [{ event: 'A' }, { event: 'B' }].map(rest =>
      track({ ...rest, messageId: 'undefined', anonymousId: 'broken' }),
    )
    for (const _send of [1, 2]) await post(url, { writeKey: 'shop', batchId: 'b', batch })
    const messages = (await readAll<EventEnvelope>(broker.nats)).flatMap(envelope => envelope.messages)
    const own = messages.filter(({ anonymousId }) => anonymousId === 'broken')
    expect(own.map(({ event }) => event)).toEqual(['A', 'B'])
    expect(new Set(own.map(({ messageId }) => messageId)).size).toBe(2)
    expect(own[0]?.context?.originalMessageId).toBe('undefined')
  })
})

describe('the cookie of a visitor', () => {
  const origin = 'https://www.shop.example'
  const send = (writeKey: string, headers: Record<string, string>) =>
    post(url, { writeKey, batch: [track({ anonymousId: 'v-1' })] }, headers)

  it('is set for sites that want it, for pages that the site names', async () => {
    await putSite(url, 'cookies', { allowedOrigins: [origin], enrichment: { idCookie: 'shop.example' } })
    const { headers } = await send('cookies', { Origin: origin })
    expect(headers.get('set-cookie')).toBe(
      'slotstream_id=v-1; Max-Age=31536000; Path=/; Domain=shop.example; Secure; SameSite=Lax',
    )
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('access-control-allow-origin')).toBe(origin)
    const preflight = await fetch(`${url}/v1/batch`, { method: 'OPTIONS', headers: { Origin: origin } })
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true')
  })

  it('is set for nobody else', async () => {
    const other = await send('shop', { Origin: 'https://other.example' })
    expect([other.headers.get('set-cookie'), other.headers.get('access-control-allow-credentials')]).toEqual([
      null,
      null,
    ])
    expect((await send('cookies', {})).headers.get('set-cookie')).toBeNull()
  })
})
