import type { IncomingMessage } from 'node:http'
import type { KeyKind, Site } from '@slotstream/protocol'
import { normalizeAddress } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { clientAddress } from '#collector/http/request/client-address.js'
import { requestIdOf } from '#collector/http/request/request-id.js'
import { createKnownVisitors, type KnownVisitors } from '#collector/safety/known-visitors.js'
import { createLimits, type RateLimits } from '#collector/safety/limits.js'
import { createOpenBodies } from '#collector/safety/open-bodies.js'
import { createPacer } from '#collector/safety/pacer.js'

const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage
const forwarded = (remote: string, chain: string) => request(remote, { 'x-forwarded-for': chain })
const trusts = (address: string) => address.startsWith('10.')

describe('the address of a client', () => {
  it.each([
    ['203.0.113.1', '1.1.1.1', '203.0.113.1'],
    ['10.0.0.1', '1.1.1.1', '1.1.1.1'],
    ['10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '1.1.1.1:8080', '1.1.1.1'],
    ['10.0.0.1', '[2001:db8::1]:8080', '2001:db8::1'],
  ])('of %s, forwarded for %j, is %s', (remote, chain, address) => {
    expect(clientAddress(forwarded(remote, chain), trusts)).toBe(address)
  })
})

const free: RateLimits = {
  addressPerSecond: 0,
  sitePerSecond: 0,
  addressMessagesPerSecond: 0,
  addressVisitorsPerSecond: 0,
  siteMessagesPerSecond: 0,
  siteVisitorsPerSecond: 0,
  secretMessagesPerSecond: 0,
  secretVisitorsPerSecond: 0,
}
const site = (siteId: string, more: Partial<Site> = {}): Site => ({
  siteId,
  name: '',
  writeKeys: [],
  allowedOrigins: [],
  debug: false,
  ...more,
})
const from = (address: string) => ({ address: normalizeAddress(address)!, isOwn: false })

describe('limits of requests', () => {
  const limits = () => createLimits({ ...free, addressPerSecond: 1, sitePerSecond: 1 }, () => 0)
  const take = (check: () => void, times: number) => {
    for (let n = 0; n < times; n++) check()
  }

  it('are counted for each address, one network of IPv6 counting as one', () => {
    const { checkAddress } = limits()
    take(() => checkAddress(from('1.1.1.1')), 4)
    expect(() => checkAddress(from('1.1.1.1'))).toThrow(/come again in 1 s/)
    expect(() => checkAddress(from('1.1.1.2'))).not.toThrow()
    for (let n = 0; n < 4; n++) checkAddress(from(`2001:db8:1:1::${n}`))
    expect(() => checkAddress(from('2001:db8:1:1::9'))).toThrow()
    expect(() => checkAddress(from('2001:db8:1:2::9'))).not.toThrow()
  })

  it('are none for what comes straight from the own network', () => {
    const { checkAddress } = limits()
    expect(() => take(() => checkAddress({ address: '10.0.0.1', isOwn: true }), 100)).not.toThrow()
  })

  it('are counted for each site, by its own rate if it has one', () => {
    const { checkSite } = limits()
    take(() => checkSite(site('a')), 2)
    expect(() => checkSite(site('a'))).toThrow()
    expect(() => take(() => checkSite(site('b', { requestsPerSecond: 5 })), 10)).not.toThrow()
  })
})

describe('limits of messages and new visitors', () => {
  function world(rates: Partial<RateLimits>) {
    let time = 0
    const limits = createLimits({ ...free, ...rates }, () => time)
    return {
      limits,
      after: (ms: number) => {
        time += ms
      },
      send(messages: number, visitors: string[] = [], address = '192.0.2.1', siteId = 'a', key?: KeyKind) {
        limits.checkAddress(from(address), key)
        return limits
          .admit({ ...from(address), site: site(siteId), ...(key ? { key } : {}) }, 100)
          .pay(messages, visitors)
      },
    }
  }
  const names = (count: number, prefix = 'v') => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

  it('let one request go into debt, then none until it is paid', () => {
    const { send, after } = world({ addressMessagesPerSecond: 100 })
    send(1_000)
    expect(() => send(1)).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfter: 8 }))
    after(7_900)
    expect(() => send(1)).toThrow()
    after(200)
    expect(() => send(1)).not.toThrow()
  })

  it('are those of an address, of a site, and of nobody else', () => {
    const address = world({ addressMessagesPerSecond: 10 })
    address.send(100)
    expect(() => address.send(1, [], '192.0.2.2')).not.toThrow()
    expect(() => address.send(1, [], '::ffff:192.0.2.1', 'b')).toThrow(/this address/)
    const bySite = world({ siteMessagesPerSecond: 10 })
    bySite.send(100)
    expect(() => bySite.send(1, [], '192.0.2.2')).toThrow(/this site's public keys/)
    expect(() => bySite.send(1, [], '192.0.2.1', 'b')).not.toThrow()
  })

  it('count visitors once', () => {
    const { send, after } = world({ siteVisitorsPerSecond: 10 })
    expect(send(5, names(5))).toBe(5)
    after(1_000)
    for (let n = 0; n < 100; n++) expect(send(5, names(5))).toBe(0)
    expect(send(50, names(50, 'w'))).toBe(50)
    expect(() => send(1, ['x'])).toThrow(/new visitors/)
    expect(() => send(1, ['v0'])).not.toThrow()
  })

  it('are others for secret keys, whatever the address owes', () => {
    const { send } = world({ addressMessagesPerSecond: 10, siteMessagesPerSecond: 10, secretMessagesPerSecond: 1_000 })
    send(100)
    expect(() => send(1)).toThrow()
    expect(() => send(1_900, [], '192.0.2.1', 'a', 'secret')).not.toThrow()
    expect(() => send(1_900, [], '192.0.2.1', 'a', 'secret')).not.toThrow()
    expect(() => send(1, [], '192.0.2.1', 'a', 'secret')).toThrow(/secret keys/)
  })

  it('count large messages by their bytes, and what is rejected as a whole', () => {
    const { limits } = world({ addressMessagesPerSecond: 10 })
    limits.admit({ ...from('192.0.2.1'), site: site('a') }, 400_000)
    expect(() => limits.checkAddress(from('192.0.2.1'))).toThrow()
    limits.payRefused('192.0.2.2', 0, true)
    limits.payRefused('192.0.2.2', 0, true)
    expect(() => limits.checkAddress(from('192.0.2.2'))).toThrow()
    for (let n = 0; n < 1_000; n++) limits.payRefused('192.0.2.3', 0, false)
    expect(() => limits.checkAddress(from('192.0.2.3'))).not.toThrow()
  })
})

describe('known visitors', () => {
  const meet = (known: KnownVisitors, siteId: string, visitorId: string) => {
    const isKnown = known.knows(siteId, visitorId)
    if (!isKnown) known.remember(siteId, visitorId)
    return isKnown
  }

  it('are remembered, by site, and nearly no stranger seems to be one', () => {
    const known = createKnownVisitors()
    for (let n = 0; n < 100_000; n++) meet(known, 'a', `visitor-${n}`)
    expect(Array.from({ length: 1_000 }, (_, n) => known.knows('a', `visitor-${n}`)).every(Boolean)).toBe(true)
    const strangers = Array.from({ length: 10_000 }, (_, n) => known.knows('b', `visitor-${n}`))
    expect(strangers.filter(Boolean).length).toBeLessThan(100)
  })

  it('are forgotten when very many others came, those that come again last', () => {
    const known = createKnownVisitors(1_000)
    meet(known, 'a', 'often')
    meet(known, 'a', 'once')
    for (let n = 0; n < 5_000; n++) {
      meet(known, 'a', `other-${n}`)
      if (n % 500 === 0) meet(known, 'a', 'often')
    }
    expect([known.knows('a', 'often'), known.knows('a', 'once')]).toEqual([true, false])
  })
})

describe('a pacer', () => {
  it('spreads what comes at once, each key for itself', () => {
    const pacer = createPacer({ perSecond: 100, maxKeys: 10 })
    expect([0, 0, 0, 1_000].map(now => pacer.reserve('a', 10, now))).toEqual([0, 100, 200, 0])
    expect(pacer.reserve('b', 10, 0)).toBe(0)
    expect(createPacer({ perSecond: 0, maxKeys: 10 }).reserve('a', 1_000, 0)).toBe(0)
  })
})

describe('open bodies', () => {
  const bounds = { maxInFlightBytes: 1_000, maxOpenBodiesPerAddress: 3, minBodyBytesPerSecond: 100, bodyGraceMs: 1_000 }

  function world(more: Partial<typeof bounds> = {}) {
    let time = 0
    const bodies = createOpenBodies({ ...bounds, ...more }, () => time)
    const lost: string[] = []
    return {
      bodies,
      lost,
      after: (ms: number) => {
        time += ms
      },
      open: (name: string, network = 'n') => bodies.open(network, ({ code }) => lost.push(`${name}: ${code}`)),
    }
  }

  it('take what arrived, and give it back', () => {
    const { bodies, open } = world()
    const body = open('a')
    expect(bodies.bytes).toBe(0)
    body.arrived(300)
    body.complete(900)
    expect(bodies.bytes).toBe(900)
    body.close()
    body.close()
    expect(bodies.bytes).toBe(0)
  })

  it('of one network are bound: the slowest is lost, not the new one', () => {
    const { lost, open, after } = world()
    const [a, , c] = [open('a'), open('b'), open('c')]
    after(10)
    a.arrived(10)
    c.arrived(5)
    open('elsewhere', 'm')
    const d = open('d')
    expect(lost).toEqual(['b: rate_limited'])
    d.arrived(10)
    expect(() => d.complete(10)).not.toThrow()
  })

  it('give way to others when memory is used up, the slowest first, and never when they are complete', () => {
    const { lost, open, after, bodies } = world()
    const idle = open('idle', 'm')
    idle.arrived(400)
    after(5_000)
    const whole = open('whole')
    whole.arrived(500)
    whole.complete(500)
    open('b').arrived(400)
    expect(lost).toEqual(['idle: unavailable'])
    expect(bodies.bytes).toBe(900)
    open('c').arrived(400)
    expect(lost).toEqual(['idle: unavailable', 'b: unavailable'])
    const last = open('d')
    last.arrived(50)
    expect(() => last.complete(600)).toThrow(/too much to do/)
  })

  it('always have room for a single one', () => {
    const { lost, open } = world()
    const body = open('a')
    body.arrived(5_000)
    body.complete(5_000)
    expect(lost).toEqual([])
  })
})

describe('request ids', () => {
  it('are those of the proxy, if they look like ids', () => {
    expect(requestIdOf(request('', { 'x-request-id': 'abc-1' }))).toBe('abc-1')
    const made = requestIdOf(request('', { 'x-request-id': 'a b\n' }))
    expect(made).toMatch(/^[\w-]+$/)
    expect(requestIdOf(request(''))).not.toBe(made)
  })
})
