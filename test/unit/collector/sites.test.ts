import type { IncomingMessage } from 'node:http'
import type { Site } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { authenticate } from '#collector/http/request/authenticate.js'
import { createAdminGate } from '#collector/safety/admin-gate.js'
import { createSites, siteAllowsOrigin } from '#collector/sites.js'

const site = (siteId: string, writeKeys: string[], allowedOrigins = ['*']): Site => ({
  siteId,
  name: siteId,
  writeKeys,
  allowedOrigins,
  debug: false,
})
const put = (value: Site) => ({ key: value.siteId, operation: 'PUT' as const, json: <T>() => value as T })
const del = (key: string) => ({ key, operation: 'DEL' as const, json: <T>() => undefined as T })
const request = (url: string, authorization?: string) => ({ url, headers: { authorization } }) as IncomingMessage
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

describe('sites', () => {
  it('follow their bucket: added, changed, deleted', () => {
    const sites = createSites()
    sites.apply(put(site('b', ['one', 'two'])))
    sites.apply(put(site('a', ['three'])))
    expect(sites.byWriteKey('two')?.siteId).toBe('b')
    expect(sites.list().map(({ siteId }) => siteId)).toEqual(['a', 'b'])
    sites.apply(put(site('b', ['two', 'four'])))
    expect(sites.byWriteKey('one')).toBeUndefined()
    expect(sites.byWriteKey('four')?.siteId).toBe('b')
    sites.apply(del('b'))
    expect(sites.byWriteKey('two')).toBeUndefined()
    expect(sites.byId('b')).toBeUndefined()
  })

  it('allow the origins they name, with or without a closing slash', () => {
    const shop = site('shop', ['k'], ['https://Shop.example/'])
    expect(siteAllowsOrigin(shop, 'https://shop.example')).toBe(true)
    expect(siteAllowsOrigin(shop, 'https://shop.example.evil.example')).toBe(false)
    expect(siteAllowsOrigin(shop, 'http://shop.example')).toBe(false)
    expect(siteAllowsOrigin(shop, 'null')).toBe(false)
    expect(siteAllowsOrigin(site('any', ['k']), 'null')).toBe(true)
  })
})

describe('authenticate', () => {
  const sites = createSites()
  sites.apply(put(site('shop', ['key'])))

  it.each([
    ['Basic user name', request('/', basic('key:')), {}],
    ['Basic without a colon', request('/', basic('key')), {}],
    ['query', request('/v1/batch?x=1&writeKey=key'), {}],
    ['body', request('/'), { writeKey: 'key' }],
  ])('takes the write key from %s', (_where, from, body) => {
    expect(authenticate(from, body, sites)).toMatchObject({ site: { siteId: 'shop' }, key: 'public' })
  })

  it.each([
    ['none', request('/'), {}],
    ['a wrong one', request('/'), { writeKey: 'other' }],
    ['one that is no text', request('/'), { writeKey: ['key'] }],
    ['one in a body that is no object', request('/'), null],
    ['a broken header', request('/', 'Basic'), {}],
    ['a name of every object', request('/'), { writeKey: '__proto__' }],
  ])('refuses %s', (_what, from, body) => {
    expect(() => authenticate(from, body, sites)).toThrow(expect.objectContaining({ code: 'unknown_key' }))
  })
})

describe('the gate of administrators', () => {
  const gate = () =>
    createAdminGate(
      'token',
      () => '192.0.2.1',
      () => 0,
    )

  it.each([undefined, 'Bearer', 'Bearer wrong', 'Bearer toke', 'Bearer tokenn', 'token', basic('token')])(
    'refuses %j',
    authorization => {
      expect(() => gate().check(request('/', authorization))).toThrow(expect.objectContaining({ code: 'unauthorized' }))
    },
  )

  it('lets the token in', () => {
    expect(() => gate().check(request('/', 'Bearer token'))).not.toThrow()
  })
})
