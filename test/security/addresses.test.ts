import { type IncomingMessage, request } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { EventEnvelope, Site } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEnrich } from '#collector/enrich/enrich.js'
import { clientAddress } from '#collector/http/request/client-address.js'
import { createLimits } from '#collector/safety/limits.js'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { freePorts } from '../support/free-ports.js'
import { openRaw } from '../support/raw-http.js'
import { WITHOUT_LIMITS } from '../support/without-limits.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop', { enrichment: { ip: 'truncated' } })
})

afterAll(() => broker?.stop())

const SECRET = { secretMessagesPerSecond: 0, secretVisitorsPerSecond: 0 }

/** What Node's `--expose-gc` gives. */
function createGc(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

const post = (at: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${at}/v1/batch?writeKey=shop`, { method: 'POST', headers, body: JSON.stringify(body) })

describe('the limit of an address', () => {
  it.each([
    [
      'a /64 of IPv6, however it is written',
      [
        '2001:db8::1',
        '2001:DB8::2',
        '2001:0db8:0000:0000:0000:0000:0000:0003',
        '2001:db8:0:0:4::',
        '2001:db8::5:6:7:8',
        '2001:db8::9%eth0',
        '[2001:db8::a]:443',
        '2001:db8::192.0.2.1',
      ],
    ],
    [
      'an address of IPv4 inside IPv6',
      ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:0201', '0:0:0:0:0:ffff:192.0.2.1', '[::ffff:192.0.2.1]:80'],
    ],
  ])('holds for %s', async (_what, spellings) => {
    const strict = await broker.collector({ settings: { addressPerSecond: 1, addressMessagesPerSecond: 1 } })
    const first = { batch: Array.from({ length: 50 }, (_, n) => ({ type: 'track', event: 'E', userId: `u${n}` })) }
    expect((await post(strict, first, { 'X-Forwarded-For': spellings[0]! })).status).toBe(200)
    for (const spelling of spellings)
      expect([spelling, (await post(strict, { batch: [] }, { 'X-Forwarded-For': spelling })).status]).toEqual([
        spelling,
        429,
      ])
    expect((await post(strict, { batch: [] }, { 'X-Forwarded-For': '2001:db8:0:1::1' })).status).toBe(200)
  })

  it('holds where a number of proxies is trusted', async () => {
    const strict = await broker.collector({ settings: { addressPerSecond: 1, trustProxy: 1 } })
    const send = () => post(strict, { batch: [] }, { 'X-Forwarded-For': '192.0.2.9' })
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await send()).status))
    expect(statuses.filter(status => status === 429)).toHaveLength(2)
  })
})

describe('what is remembered of addresses and user agents', () => {
  const site: Site = { siteId: 'a', name: '', writeKeys: [], allowedOrigins: [], debug: false }
  const gc = createGc()

  /** Bytes of heap that stay taken after `work` was done 5,000 times, each time with texts of its own. */
  function growth(work: (n: number) => void): number {
    gc()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 5_000; n++) work(n)
    gc()
    return process.memoryUsage().heapUsed - before
  }

  /** As it comes from a body: no part of another text. */
  const long = (n: number) => JSON.parse(`"Agent/${n} ${'x'.repeat(30_000)}"`) as string

  it.each([
    ['user agents', (n: number) => ({ userAgent: long(n) })],
    ['addresses', (n: number) => ({ ip: `fe80::1%${long(n)}` })],
    ['pages', (n: number) => ({ page: { url: `https://shop.example/${long(n)}`, referrer: `https://${long(n)}` } })],
    ['campaigns', (n: number) => ({ page: { url: '/' }, campaign: { source: long(n), medium: long(n + 1) } })],
  ])('is short: %s of 30 KB by the thousand cost no memory', (_what, contextOf) => {
    const enrich = createEnrich()
    const taken = growth(n => {
      const enricher = enrich(site, { userAgent: undefined, address: () => '' })
      const message = { type: 'track', event: 'E', anonymousId: 'v', context: contextOf(n) }
      enricher.enrich(message, enricher.redact(message)?.network)
    })
    expect(taken).toBeLessThan(20_000_000)
    expect(enrich(site, { userAgent: undefined, address: () => '' })).toBeDefined()
  })

  it('does not keep the headers that addresses were part of', () => {
    const limits = createLimits({ ...WITHOUT_LIMITS, ...SECRET, addressPerSecond: 10, sitePerSecond: 0 })
    const taken = growth(n => {
      const chain = `${'x'.repeat(15_000)}, 203.0.${113 + (n >> 8)}.${100 + (n & 127)}`
      const forwarded = Buffer.from(chain).toString('latin1')
      const request = { socket: { remoteAddress: '127.0.0.1' }, headers: { 'x-forwarded-for': forwarded } }
      const address = clientAddress(request as unknown as IncomingMessage, from => from === '127.0.0.1')
      try {
        limits.checkAddress({ address, isOwn: false })
      } catch {
        // Some come too often; all are remembered.
      }
    })
    expect(taken).toBeLessThan(10_000_000)
    expect(limits).toBeDefined()
  })

  it('leaves good ones as they are', async () => {
    const message = { type: 'track', event: 'E', anonymousId: 'v', messageId: 'network' }
    const ips = ['2001:DB8:1:2::3', '::ffff:203.0.113.9', `fe80::1%${'x'.repeat(20_000)}`]
    await post(url, { batch: ips.map((ip, n) => ({ ...message, messageId: `network-${n}`, context: { ip } })) })
    const stored = (await readAll<EventEnvelope>(broker.nats)).flatMap(({ messages }) => messages)
    const networks = stored
      .filter(({ messageId }) => messageId.startsWith('network-'))
      .map(({ context }) => context?.ip)
    expect(networks).toEqual(['2001:db8:1::', '203.0.113.0', '127.0.0.0'])
  })
})

describe('/metrics', () => {
  const get = (at: string, headers: Record<string, string> = {}) =>
    fetch(`${at}/metrics`, { headers }).then(({ status }) => status)

  it('are for this machine, networks of one’s own, and the admin token', async () => {
    const foreign = { 'X-Forwarded-For': '203.0.113.1' }
    expect(await get(url)).toBe(200)
    expect(await get(url, { 'X-Forwarded-For': '10.1.2.3' })).toBe(200)
    expect(await get(url, foreign)).toBe(401)
    expect(await get(url, { 'X-Forwarded-For': '127.0.0.1, 203.0.113.1' })).toBe(401)
    expect(await get(url, { ...foreign, Authorization: 'Bearer wrong' })).toBe(401)
    expect(await get(url, { ...foreign, Authorization: 'Bearer secret' })).toBe(200)
    const counting = await broker.collector({ settings: { trustProxy: 1 } })
    expect(await get(counting, { 'X-Forwarded-For': '10.1.2.3' })).toBe(401)
    const alone = await broker.collector({ settings: { trustProxy: [] } })
    expect(await get(alone)).toBe(200)
  })

  it('are not for a web page whose own name was made to resolve to this machine', async () => {
    const asHost = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const asked = request(`${url}/metrics`, { headers: { Host: host } }, response => {
          response.resume()
          resolve(response.statusCode)
        })
        asked.on('error', reject).end()
      })
    expect(await asHost('localhost')).toBe(200)
    expect(await asHost('evil.example')).toBe(401)
  })

  it('are not for clients of a proxy on this machine that names them in a way that is not believed or understood', async () => {
    const alone = await broker.collector({ settings: { trustProxy: [] } })
    for (const header of ['X-Forwarded-For', 'X-Real-IP'])
      expect(await get(alone, { [header]: '203.0.113.1' }), header).toBe(401)
    expect(await get(url, { Forwarded: 'for=203.0.113.1' })).toBe(401)
    for (const hops of ['unknown', '', ',', '203.0.113.1, _hidden', '203.0.113.1, unix:, 10.0.0.1', '203.0.113.1, ::g'])
      expect(await get(url, { 'X-Forwarded-For': hops }), hops).toBe(401)
    expect(await get(url, { 'X-Forwarded-For': '127.0.0.1' })).toBe(200)
  })

  it('are on a port of their own where that is wanted, and nowhere else', async () => {
    const [metricsPort] = await freePorts(1)
    const apart = await broker.collector({ settings: { metricsPort: metricsPort! } })
    expect(await get(apart, { Authorization: 'Bearer secret' })).toBe(404)
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    expect(text).toContain('slotstream_http_requests_in_flight 0')
  })
})

it('a proxy’s header counts, however many the client sent before it', async () => {
  const junk = Array.from({ length: 2_100 }, () => 'a:\r\n').join('')
  const ask = async (line: string) => {
    const connection = await openRaw(
      url,
      `GET /metrics HTTP/1.1\r\nHost: localhost\r\n${junk}${line}Connection: close\r\n\r\n`,
    )
    await connection.closed
    return connection.received()
  }
  expect(await ask('')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await ask('X-Forwarded-For: 203.0.113.1\r\n')).toMatch(/^HTTP\/1\.1 401 /)
})

describe('wrong admin tokens', () => {
  it('make their address wait, and no other', async () => {
    const strict = await broker.collector()
    const ask = (token: string, address: string, path = '/v1/admin/sites') =>
      fetch(`${strict}${path}`, { headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address } })
    const statuses = []
    for (let n = 0; n < 12; n++) statuses.push((await ask(`guess-${n}`, `2001:db8::${n}`)).status)
    expect(statuses).toEqual([...new Array(10).fill(401), 429, 429])
    const refused = await ask('secret', '2001:db8::99')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await ask('secret', '2001:db8::99', '/metrics')).status).toBe(429)
    expect((await ask('secret', '2001:db8:1::1')).status).toBe(200)
  })

  it('don’t hold up the right one from the same address, where that is too long to be guessed', async () => {
    const long = 'x'.repeat(32)
    const strict = await broker.collector({ adminToken: long })
    const ask = (token: string) =>
      fetch(`${strict}/v1/admin/sites`, { headers: { Authorization: `Bearer ${token}` } }).then(({ status }) => status)
    for (let n = 0; n < 12; n++) await ask(`${'x'.repeat(31)}${n}`)
    expect([await ask('wrong'), await ask(long), await ask('wrong'), await ask(long)]).toEqual([429, 200, 429, 200])
  })

  it('are no matter where none was sent', async () => {
    const strict = await broker.collector()
    for (let n = 0; n < 30; n++) expect((await fetch(`${strict}/v1/admin/sites`)).status).toBe(401)
    expect((await fetch(`${strict}/v1/admin/sites`, { headers: { Authorization: 'Bearer secret' } })).status).toBe(200)
  })
})

describe('the host that Segment’s library is told', () => {
  const settings = (at: string, headers: Record<string, string>) =>
    fetch(`${at}/v1/projects/shop/settings`, { headers })
  const hostOf = async (response: Response) => {
    const body = (await response.json()) as { integrations: { 'Segment.io': { apiHost: string; protocol: string } } }
    return body.integrations['Segment.io']
  }

  it('is what a proxy of one’s own says, and not kept by caches', async () => {
    const answer = await settings(url, { 'X-Forwarded-Host': 'collector.example:8443', 'X-Forwarded-Proto': 'https' })
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
    expect(answer.headers.get('vary')).toBe('Origin, Host, X-Forwarded-Host, X-Forwarded-Proto')
    expect(await hostOf(answer)).toMatchObject({ apiHost: 'collector.example:8443/v1', protocol: 'https' })
  })

  it('is not what anybody else says', async () => {
    const bare = await broker.collector({ settings: { trustProxy: [] } })
    const answer = await settings(bare, { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' })
    expect(await hostOf(answer)).toMatchObject({ apiHost: `${new URL(bare).host}/v1`, protocol: 'http' })
  })

  it.each([
    'evil.example/path?',
    'evil.example#',
    '"><script>',
    'a b',
    'user@evil.example',
    'evil.example:port',
    '[::1',
  ])('is never %j', async host => {
    const answer = await settings(url, { 'X-Forwarded-Host': host })
    expect(answer.status).toBe(400)
    expect(await answer.text()).not.toContain('evil')
  })
})
