import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cookieId } from '#sdk/capture/identity.js'
import { createServerClient, decisionsScript, type ServerOptions, type SlotDecision } from '#sdk/entries/server.js'

/** What a collector was asked, over a real connection, and how it answers next. */
let asked: { headers: IncomingMessage['headers']; url: string; body: Record<string, unknown> }[] = []
let answer: (body: { slots: { id: string }[] }) => { status?: number; text: string; afterMs?: number }
let collector: Server
let endpoint: string

const served = (slotId: string): SlotDecision => ({
  slotId,
  decisionId: `d-${slotId}`,
  outcome: 'served',
  items: [{ contentId: 'c1', position: 1, payload: { title: slotId } }],
})

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const body = JSON.parse(await text(request))
    asked.push({ headers: request.headers, url: request.url ?? '', body })
    const { status = 200, text: said, afterMs = 0 } = answer(body)
    setTimeout(() => response.writeHead(status, { 'Content-Type': 'application/json' }).end(said), afterMs)
  })
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
})
afterAll(() => {
  collector.closeAllConnections()
  collector.close()
})
beforeEach(() => {
  asked = []
  answer = ({ slots }) => ({ text: JSON.stringify({ decisions: slots.map(({ id }) => served(id)) }) })
})

const client = (options: Partial<ServerOptions> = {}) =>
  createServerClient({ endpoint, writeKey: 'demo', timeout: 20_000, ...options })
const cookie = 'theme=dark; slotstream_id=0199-abc; a=b'

describe('a decision on a server', () => {
  it('is asked for all slots in one request, for the id of the cookie, with the situation', async () => {
    const context = { page: { path: '/' } }
    const { decisions, anonymousId, setCookie } = await client().decide(['hero', { id: 'list', count: 3 }], {
      headers: { cookie },
      userId: 'ann',
      signature: 'proof',
      context,
    })
    expect(asked.map(({ url, body }) => ({ url, body }))).toEqual([
      {
        url: '/v1/slots',
        body: {
          anonymousId: '0199-abc',
          userId: 'ann',
          signature: 'proof',
          slots: [{ id: 'hero' }, { id: 'list', count: 3 }],
          context,
        },
      },
    ])
    expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('demo:').toString('base64')}`)
    expect(decisions).toEqual([served('hero'), served('list')])
    expect({ anonymousId, setCookie }).toEqual({ anonymousId: '0199-abc', setCookie: undefined })
  })

  it('of a new visitor is for an id that the browser keeps, and the SDK reads', async () => {
    const { anonymousId, setCookie } = await client().decide(['hero'], { headers: new Headers() })
    expect(asked[0]?.body.anonymousId).toBe(anonymousId)
    expect(setCookie).toBe(`slotstream_id=${anonymousId}; Max-Age=31536000; Path=/; Secure; SameSite=Lax`)
    expect(cookieId(`a=b; ${setCookie}`)).toBe(anonymousId)
    const other = await client({ cookie: { domain: 'shop.example', secure: false } }).decide(['hero'])
    expect(other.setCookie).toMatch(/; Path=\/; Domain=shop\.example; SameSite=Lax$/)
    expect(other.anonymousId).not.toBe(anonymousId)
  })

  it.each(['undefined', 'a b', '"x"', 'a.b', '../', ''])('takes the cookie %j for none', async value => {
    const { anonymousId, setCookie } = await client().decide(['hero'], {
      headers: { cookie: `slotstream_id=${value}; a=b` },
    })
    expect(anonymousId).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/)
    expect(setCookie).toContain(anonymousId)
  })

  it('sets no cookie where nothing was recorded for the id: the browser then begins with one of its own', async () => {
    answer = ({ slots }) => ({
      text: JSON.stringify({
        decisions: slots.map(({ id }) => ({ slotId: id, decisionId: '', outcome: 'unavailable', items: [] })),
      }),
    })
    const { decisions, setCookie } = await client().decide(['hero'], { headers: { 'sec-gpc': '1' } })
    expect(decisions[0]).toMatchObject({ outcome: 'unavailable', items: [] })
    expect(setCookie).toBeUndefined()
  })

  it('takes an id that the server has found before, as in a middleware', async () => {
    const headers = new Headers()
    const { anonymousId, setCookie } = client().visitorOf(headers)
    expect(setCookie).toContain(anonymousId)
    const result = await client().decide(['hero'], { headers, anonymousId })
    expect(result).toEqual({ anonymousId, decisions: [served('hero')] })
    expect(client().visitorOf({ cookie })).toEqual({ anonymousId: '0199-abc' })
  })
})

describe('what a visitor refuses', () => {
  it('is told to the collector as the browser said it', async () => {
    await client().decide(['hero'], { headers: new Headers({ 'Sec-GPC': '1', DNT: '1' }) })
    await client().decide(['hero'], { headers: { 'sec-gpc': '0', dnt: 'unspecified' } })
    expect(asked.map(({ headers }) => [headers['sec-gpc'], headers.dnt])).toEqual([
      ['1', '1'],
      [undefined, undefined],
    ])
  })

  it.each([
    ['Global Privacy Control', { gpc: true }, { 'sec-gpc': '1' }, {}],
    ['Do Not Track', { dnt: true }, { dnt: '1' }, {}],
    ['personalization', {}, {}, { consent: { personalization: 'denied' as const } }],
    ['an answer', {}, {}, { consent: 'pending' as const }],
  ])('%s: nothing is asked, and nothing kept', async (_what, options, headers, more) => {
    const result = await client(options).decide(['hero'], { headers, ...more })
    expect(asked).toEqual([])
    expect(result.decisions).toEqual([{ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] }])
    expect(result.setCookie).toBeUndefined()
  })

  it('analytics alone: the cookie is neither read nor set', async () => {
    const result = await client().decide(['hero'], { headers: { cookie }, consent: { analytics: 'denied' } })
    expect(asked[0]?.body.anonymousId).not.toBe('0199-abc')
    expect(result.setCookie).toBeUndefined()
    expect(result.decisions[0]?.outcome).toBe('served')
  })
})

it.each<Record<string, string>>([
  { 'sec-purpose': 'prefetch;prerender' },
  { purpose: 'prefetch' },
  { 'x-moz': 'prefetch' },
  { 'next-router-prefetch': '1' },
])('a page that is fetched ahead is not decided: %j', async headers => {
  const { decisions, setCookie } = await client().decide(['hero'], { headers: new Headers(headers) })
  expect(asked).toEqual([])
  expect(decisions[0]).toMatchObject({ outcome: 'unavailable', decisionId: '' })
  expect(setCookie).toBeUndefined()
})

describe('a collector that does not answer as it should', () => {
  it.each([
    ['an error', { status: 503, text: '{"error":{"code":"unavailable","message":"later"}}' }, /503.*later/],
    ['no JSON', { text: '<html>' }, /JSON/],
  ])('with %s leaves the page its own content, and says so', async (_what, said, message) => {
    answer = () => said
    const onError = vi.fn()
    const { decisions } = await client({ onError }).decide(['hero', 'list'])
    expect(decisions.map(({ outcome, items }) => [outcome, items])).toEqual([
      ['unavailable', []],
      ['unavailable', []],
    ])
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ message: expect.stringMatching(message) })]])
  })

  it.each([
    ['null', null],
    ['no list', { decisions: {} }],
    ['too few', { decisions: [] }],
    ['another slot', { decisions: [served('other')] }],
    ['no items', { decisions: [{ ...served('hero'), items: null }] }],
    ['no payload', { decisions: [{ ...served('hero'), items: [{ contentId: 'c', position: 1 }] }] }],
  ])('with %s gives a decision without items', async (_what, body) => {
    answer = () => ({ text: JSON.stringify(body) })
    const { decisions } = await client().decide(['hero'])
    expect(decisions).toEqual([{ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] }])
  })

  it('in time gives time-outs', async () => {
    answer = () => ({ text: '{}', afterMs: 600_000 })
    const onError = vi.fn()
    const { decisions } = await client({ timeout: 20, onError }).decide(['hero'])
    expect(decisions[0]?.outcome).toBe('timeout')
    expect(onError.mock.calls[0]?.[0].message).toContain('no decisions within 20 ms')
  })

  it('at all, with an onError that throws, still gives decisions', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    const away = client({
      endpoint: 'http://127.0.0.1:9',
      onError: () => {
        throw new Error('mine')
      },
    })
    expect((await away.decide(['hero'])).decisions[0]?.outcome).toBe('unavailable')
    expect(said).toHaveBeenCalledOnce()
    said.mockRestore()
  })

  it('is told to the console once, not for each page', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    const away = client({ endpoint: 'http://127.0.0.1:9' })
    for (let page = 0; page < 3; page++) await away.decide(['hero'])
    expect(said).toHaveBeenCalledOnce()
    said.mockRestore()
  })

  it('is not waited for by a page that has gone', async () => {
    answer = () => ({ text: '{}', afterMs: 600_000 })
    const gone = new AbortController()
    const onError = vi.fn()
    const deciding = client({ onError }).decide(['hero'], { signal: gone.signal })
    gone.abort()
    expect((await deciding).decisions[0]?.outcome).toBe('aborted')
    expect(onError).not.toHaveBeenCalled()
  })

  it('is not asked for what cannot be written as JSON', async () => {
    const onError = vi.fn()
    const { decisions } = await client({ onError }).decide(['hero'], { context: { n: 1n } })
    expect(decisions[0]?.outcome).toBe('unavailable')
    expect(onError).toHaveBeenCalledOnce()
  })
})

it.each([{}, { writeKey: '' }, { writeKey: 'a', secretKey: 'b' }])('needs one key, not %j', keys => {
  expect(() => createServerClient({ endpoint, ...keys })).toThrow('needs a writeKey or a secretKey')
  expect(() => createServerClient({ endpoint: 'shop', writeKey: 'a' })).toThrow('Invalid URL')
})

describe('decisions in a page', () => {
  const hostile = '</script><script>alert(1)</script><!-- & \u2028\u2029 "\''

  it('come back as they were, and nothing in them ends their element', () => {
    const decisions = [
      { ...served('hero'), items: [{ contentId: hostile, position: 1, payload: { [hostile]: hostile } }] },
    ]
    const html = decisionsScript(decisions)
    const inside = /^<script type="application\/json" id="slotstream-decisions">(.*)<\/script>$/s.exec(html)?.[1] ?? ''
    expect(inside).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(inside)).toEqual(decisions)
  })

  it('are those that were made: for the others the page asks', () => {
    const none: SlotDecision = { slotId: 'list', decisionId: '', outcome: 'timeout', items: [] }
    const held: SlotDecision = { slotId: 'held', decisionId: 'd', outcome: 'holdout', items: [] }
    expect(decisionsScript([none, held])).toContain(JSON.stringify([held]))
  })
})
