import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { clientAddress } from '../../../../collector/safety/client-address.js'
import { createInFlight } from '../../../../collector/safety/in-flight.js'
import { createLimits } from '../../../../collector/safety/limits.js'
import { requestIdOf } from '../../../../collector/safety/request-id.js'

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

describe('limits', () => {
  const limits = () => createLimits({ addressPerSecond: 1, sitePerSecond: 1 }, trusts, () => 0)
  const take = (check: () => void, times: number) => {
    for (let n = 0; n < times; n++) check()
  }

  it('are counted for each address, one network of IPv6 counting as one', () => {
    const { checkAddress } = limits()
    take(() => checkAddress(request('1.1.1.1')), 4)
    expect(() => checkAddress(request('1.1.1.1'))).toThrow(/come again in 1 s/)
    expect(() => checkAddress(forwarded('10.0.0.1', '1.1.1.1'))).toThrow()
    expect(() => checkAddress(request('1.1.1.2'))).not.toThrow()
    for (let n = 0; n < 4; n++) checkAddress(request(`2001:db8:1:1::${n}`))
    expect(() => checkAddress(request('2001:db8:1:1::9'))).toThrow()
    expect(() => checkAddress(request('2001:db8:1:2::9'))).not.toThrow()
  })

  it('are none for what comes straight from the own network', () => {
    const { checkAddress } = limits()
    expect(() => take(() => checkAddress(request('10.0.0.1')), 100)).not.toThrow()
  })

  it('are counted for each site, by its own rate if it has one', () => {
    const { checkSite } = limits()
    const site = { siteId: 'a', name: '', writeKeys: [], allowedOrigins: [], debug: false }
    take(() => checkSite(site), 2)
    expect(() => checkSite(site)).toThrow()
    expect(() => take(() => checkSite({ ...site, siteId: 'b', requestsPerSecond: 5 }), 10)).not.toThrow()
  })
})

describe('bytes in flight', () => {
  const sized = (length: string, encoding?: string) =>
    request('', { 'content-length': length, ...(encoding ? { 'content-encoding': encoding } : {}) })

  it('are bound, and given back', () => {
    const inFlight = createInFlight(1_000)
    const first = inFlight.enter(sized('600'))
    expect(() => inFlight.enter(sized('600'))).toThrow(/send it again/)
    inFlight.leave(first)
    expect(inFlight.enter(sized('600'))).toBe(600)
  })

  it('count a compressed body, or one of unknown size, as the largest', () => {
    const inFlight = createInFlight(2_000_000)
    expect(inFlight.enter(sized('10', 'gzip'))).toBe(500 * 1024)
    expect(inFlight.enter(request(''))).toBe(500 * 1024)
    expect(inFlight.enter(sized('999999999'))).toBe(500 * 1024)
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
