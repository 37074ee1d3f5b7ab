import { describe, expect, it, vi } from 'vitest'
import { createFloodLimit } from '#sdk/capture/flood.js'
import { cookieId, createIdentity, idText } from '#sdk/capture/identity.js'
import { linkedId, withoutLinkedId } from '#sdk/capture/linked-id.js'
import { createStorage } from '#sdk/platform/storage.js'
import { memoryStorage } from '../harness.js'

const counter = () => {
  let count = 0
  return () => `v${++count}`
}
const nobody = () => undefined

it('is the same on the next page, and another after a reset', () => {
  const storage = memoryStorage()
  const newId = counter()
  const first = createIdentity(storage, newId, nobody)
  first.identify('ann')
  const second = createIdentity(storage, newId, nobody)
  expect([second.all().anonymousId, second.all().userId]).toEqual([first.all().anonymousId, 'ann'])
  first.identify('ann', 'a1')
  expect(createIdentity(storage, newId, nobody).all()).toEqual({
    anonymousId: first.all().anonymousId,
    userId: 'ann',
    signature: 'a1',
  })
  second.reread()
  second.reset()
  expect([second.all().anonymousId, second.all().userId]).toEqual(['v2', undefined])
  expect(createIdentity(storage, newId, nobody).all().signature).toBeUndefined()
  expect(createIdentity(storage, newId, nobody).all().anonymousId).toBe('v2')
})

it('keeps nothing that the collector would reject', () => {
  for (const bad of ['x'.repeat(257), 'undefined', '[object Object]', 'a\0b', ' ', 'anonymous']) {
    const storage = memoryStorage()
    storage.set('userId', bad)
    storage.set('anonymousId', bad)
    const identity = createIdentity(storage, counter(), () => bad)
    expect([bad, identity.all().userId, identity.all().anonymousId]).toEqual([bad, undefined, 'v1'])
    identity.adopt(bad)
    expect(identity.all().anonymousId).toBe('v1')
  }
})

describe('an id', () => {
  const warned = vi.spyOn(console, 'error').mockImplementation(() => {})

  it.each([7, 'u-0', 'ann@example.com', 'x'.repeat(256), 175928847299117063n, '日本', 'anonymous-7'])(
    'may be %s',
    id => {
      expect(idText(id)).toBe(String(id))
      expect(warned).not.toHaveBeenCalled()
    },
  )

  it.each([
    { email: 'ann@example.com' },
    Number('175928847299117063'),
    `${undefined}`,
    'null',
    Number.NaN,
    '  ',
    true,
    'Anonymous',
    '0',
    'x'.repeat(257),
    'a\0b',
  ])('is not %s, which the console says', id => {
    expect(idText(id)).toBeUndefined()
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('no id'), id)
    warned.mockClear()
  })
})

it('takes note of a reset in another tab', () => {
  const storage = memoryStorage()
  const newId = counter()
  const [one, two] = [createIdentity(storage, newId, nobody), createIdentity(storage, newId, nobody)]
  expect(one.all().anonymousId).toBe(two.all().anonymousId)
  one.reset()
  two.reread()
  expect(two.all().anonymousId).toBe(one.all().anonymousId)
})

it('asks elsewhere before it makes a new id, and never when it has one', () => {
  const storage = memoryStorage()
  expect(createIdentity(storage, counter(), () => 'from-cookie').all().anonymousId).toBe('from-cookie')
  expect(createIdentity(storage, counter(), () => 'other').all().anonymousId).toBe('from-cookie')
})

it('reads the id from its cookie only', () => {
  expect(cookieId('a=1; slotstream_id=0198-ab; b=2')).toBe('0198-ab')
  expect(cookieId('not_slotstream_id=1')).toBeUndefined()
  expect(cookieId('')).toBeUndefined()
})

describe('a linked id', () => {
  const now = 1_800_000_000_000
  const link = (at: number) => `?a=1&slotstream_id=0198-ab.${at}&b=2`
  const find = (search: string, referrer = 'https://shop.example/', protocol = 'https:') =>
    linkedId(search, now, referrer, ['shop.example'], protocol)

  it('is believed for two minutes', () => {
    expect(find(link(now))).toBe('0198-ab')
    expect(find(link(now - 119_000))).toBe('0198-ab')
    expect(find(link(now - 121_000))).toBeUndefined()
    expect(find(link(now + 1_000))).toBeUndefined()
    expect(find(`?slotstream_id=<b>.${now}`)).toBeUndefined()
    expect(find(`?slotstream_id=user:bob.${now}`)).toBeUndefined()
    expect(find(`?slotstream_id=${'a'.repeat(65)}.${now}`)).toBeUndefined()
    expect(find('?slotstream_id=0198')).toBeUndefined()
  })

  it.each([
    ['https://shop.example/', 'https:', true],
    ['https://www.shop.example/', 'https:', true],
    ['https://shop.example:8443/a', 'https:', true],
    ['http://shop.example/', 'http:', true],
    ['https://shop.example/', 'http:', true],
    ['http://shop.example/', 'https:', false],
    ['', 'https:', false],
    ['https://evil.example/', 'https:', false],
    ['https://evilshop.example/', 'https:', false],
    ['https://shop.example.evil.example/', 'https:', false],
    ['https://evil.example/?https://shop.example/', 'https:', false],
    ['https://shop.example./', 'https:', false],
    ['about:client', 'https:', false],
    ['android-app://shop.example/', 'https:', false],
  ])('from a page at %j is believed on one by %s: %s', (referrer, protocol, believed) => {
    expect(find(link(now), referrer, protocol)).toBe(believed ? '0198-ab' : undefined)
  })

  it('is not believed without domains', () => {
    for (const domains of [undefined, '', ' ', []])
      expect(linkedId(link(now), now, 'https://evil.example./', domains, 'https:')).toBeUndefined()
  })

  it.each([
    ['?slotstream_id=a.1', ''],
    ['?slotstream_id=a.1#top', '#top'],
    ['?a=%20+&slotstream_id=a.1', '?a=%20+'],
    ['?slotstream_id=a.1&b=2', '?b=2'],
    ['?slotstream_id=a.1&slotstream_id=b.2&slotstream_id', '?slotstream_id'],
    ['?a&slotstream_id=a.1&slotstream_id=b.2&c#d?', '?a&c#d?'],
    ['?my_slotstream_id=a.1', '?my_slotstream_id=a.1'],
  ])('is taken out of %s', (search, rest) => {
    expect(withoutLinkedId(`https://a.example/${search}`)).toBe(`https://a.example/${rest}`)
  })
})

it('lets as much pass as the bucket holds, and then as it fills', () => {
  let now = 0
  const mayPass = createFloodLimit(60, () => now)
  const passed = (calls: number) => Array.from({ length: calls }, mayPass).filter(Boolean).length
  expect(passed(100)).toBe(60)
  now = 10_000
  expect(passed(100)).toBe(10)
  now = 5_000
  expect(passed(100)).toBe(0)
  now = 10_000_000
  expect(passed(100)).toBe(60)
})

it('keeps texts in memory until they may be stored, and removes no others', () => {
  const kept = new Map<string, string>()
  const area = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
  // The keys of a Storage are its own properties.
  const storageArea = new Proxy(area, {
    ownKeys: () => [...kept.keys()],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  }) as unknown as Storage
  kept.set('other.a', '1')
  const storage = createStorage(() => storageArea, 'mine.', false)
  storage.set('a', '2')
  expect(storage.get('a')).toBe('2')
  expect([...kept]).toEqual([['other.a', '1']])
  storage.persist(true)
  expect(kept.get('mine.a')).toBe('2')
  storage.clear()
  expect(storage.get('a')).toBeUndefined()
  expect([...kept]).toEqual([['other.a', '1']])
})
