import { describe, expect, it } from 'vitest'
import { compileMessageCondition } from '#core/conditions/compile-message-condition.js'
import { eventNameOf, isOfEvent } from '#core/conditions/event-name.js'
import { MAX_PATH, MAX_VALUES } from '#core/conditions/limits.js'
import { messagePathTrouble, readValues } from '#core/conditions/message-paths.js'

const message = {
  messageId: 'm1',
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  timestamp: '2026-01-31T12:00:00.000Z',
  properties: {
    price: 12.5,
    paid: false,
    coupon: null,
    address: { city: 'Graz' },
    products: [
      { sku: 'p1', price: 5, tags: ['a', 'b'] },
      { sku: 'p2', price: '7', tags: [] },
      { sku: 'p3', tags: [['c'], 'd'] },
    ],
    big: '\ufdd0175928847299117063',
  },
  context: { page: { path: '/shop/' } },
}

describe('the event of a message', () => {
  it.each([
    ['Order Completed', message],
    ['page', { type: 'page', name: 'Home' }],
    ['identify', { type: 'identify', event: 'ignored' }],
    ['', { type: 'track' }],
  ] as const)('is %j', (name, of) => {
    expect(eventNameOf(of as never)).toBe(name)
    expect(isOfEvent(of as never, name)).toBe(true)
    expect(isOfEvent(of as never, '*')).toBe(true)
    expect(isOfEvent(of as never, 'another')).toBe(false)
  })
})

describe('a path over messages', () => {
  it.each<[string, unknown[]]>([
    ['userId', ['u1']],
    ['properties.price', [12.5]],
    ['properties.paid', [false]],
    ['properties.coupon', []],
    ['properties.address', []],
    ['properties.address.city', ['Graz']],
    ['properties.products.price', [5, '7']],
    ['properties.products.tags', ['a', 'b', 'c', 'd']],
    ['properties.products.1.sku', ['p2']],
    ['properties.products.9.sku', []],
    ['properties.products.length', []],
    ['properties.big', ['175928847299117063']],
    ['context.page.path', ['/shop/']],
    ['context.page.path.length', []],
    ['properties.__proto__', []],
    ['properties.constructor.name', []],
    ['toString', []],
  ])('%s has the values %j', (path, values) => {
    expect(readValues(path)(message)).toEqual(values)
  })

  it('has a bounded number of values, and stands whatever it is read from', () => {
    const many = { properties: { list: Array.from({ length: 3 }, () => Array.from({ length: 800 }, (_, i) => i)) } }
    expect(readValues('properties.list')(many)).toHaveLength(MAX_VALUES)
    for (const odd of [null, undefined, 1, 'text', [], {}]) expect(readValues('properties.list')(odd)).toEqual([])
  })

  it.each([
    ['properties.price', undefined],
    ['channel', undefined],
    ['propertes.price', 'messages have no propertes: did you mean properties.price?'],
    ['properties..price', 'a path must be names with dots between them, such as "properties.price"'],
    ['', 'a path must be names with dots between them, such as "properties.price"'],
    [`properties.${'x'.repeat(MAX_PATH)}`, `the path has ${MAX_PATH + 11} characters, ${MAX_PATH} are allowed`],
  ])('%.30s: %s', (path, trouble) => expect(messagePathTrouble(path)).toBe(trouble))
})

describe('a condition over messages', () => {
  it('reads the message and compares its times', () => {
    const where = {
      'properties.price': { $gt: 10 },
      timestamp: { $gte: '2026-01-31' },
      'context.page.path': { $regex: '^/shop/' },
    }
    const compiled = compileMessageCondition(where)
    expect(compiled.ok && compiled.value.matches(message)).toBe(true)
  })

  it('walks lists by $elemMatch only', () => {
    const matches = (where: unknown) => {
      const compiled = compileMessageCondition(where)
      return compiled.ok && compiled.value.matches(message)
    }
    expect(matches({ 'properties.products.sku': 'p1' })).toBe(false)
    expect(matches({ 'properties.products': { $elemMatch: { sku: 'p1', price: { $lt: 6 } } } })).toBe(true)
    expect(matches({ 'properties.products': { $elemMatch: { sku: 'p2', price: { $lt: 6 } } } })).toBe(false)
  })

  it('names what is misspelt', () => {
    expect(compileMessageCondition({ 'propertes.price': { $gte2: 1 } }, 'features[2].source.where')).toMatchObject({
      faults: [
        'features[2].source.where.propertes.price: messages have no propertes: did you mean properties.price?',
        'features[2].source.where.propertes.price.$gte2: unknown operator $gte2: did you mean $gte?',
      ],
    })
  })
})
