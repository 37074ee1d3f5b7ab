import type { Reward, ServedDecision } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { MAX_REWARD, REWARD_SCALE } from '#core/learning/sums/fixed-point.js'
import { MAX_EARNINGS } from '#core/ledger/earnings.js'
import { click, createVisitor, decision, HOUR, NOON, SECOND, track, view } from './some-decisions.js'

const ONE = REWARD_SCALE
const ORDER: Reward = { event: 'Order Completed', windowHours: 24 }
const REVENUE: Reward = { ...ORDER, value: 'properties.revenue' }
const order = (afterMs: number, properties = {}) => track('Order Completed', afterMs, properties)

/** A visitor to whom decisions with rewards were served. */
function served(rewards: Reward[] | undefined, ...fields: Partial<ServedDecision>[]) {
  const visitor = createVisitor()
  const decisions = (fields.length > 0 ? fields : [{}]).map(one => decision({ ...(rewards && { rewards }), ...one }))
  visitor.serve(...decisions)
  return visitor
}

describe('an item of a decision', () => {
  it('enters when it is viewed, once, with what it has earned by then', () => {
    const visitor = served(undefined)
    expect(visitor.send(click(2 * SECOND, 'boots'))).toEqual([])
    expect(visitor.send(view(SECOND), view(SECOND, 'boots'), view(3 * SECOND))).toMatchObject([
      { decisionId: 'd1', slotId: 'hero', contentId: 'tent', position: 1, at: NOON, reward: 0 },
      { contentId: 'boots', position: 2, reward: ONE },
    ])
    expect(visitor.records.every(record => !('previous' in record))).toBe(true)
    expect(visitor.send(view(4 * SECOND))).toEqual([])
  })

  it('enters at once where its slot counts what is served', () => {
    const visitor = createVisitor()
    const records = visitor.serve(decision({ countFrom: 'served', segments: ['vip'] }))
    expect(records).toMatchObject([
      { contentId: 'tent', reward: 0, segments: ['vip'] },
      { contentId: 'boots', reward: 0, segments: ['vip'] },
    ])
    expect(visitor.send(view(SECOND))).toEqual([])
    expect(visitor.send(click(SECOND))).toMatchObject([{ contentId: 'tent', reward: ONE, previous: 0 }])
  })

  it('earns a click once, and says what it had earned before', () => {
    const visitor = served(undefined)
    visitor.send(view(SECOND))
    expect(visitor.send(click(2 * SECOND))).toMatchObject([{ contentId: 'tent', reward: ONE, previous: 0 }])
    expect(visitor.send(click(3 * SECOND))).toEqual([])
  })

  it('earns half as much after each half-life, each time', () => {
    const visitor = served([{ ...REVENUE, halfLife: '2h' }])
    visitor.send(view(SECOND))
    visitor.send(order(0, { revenue: 8, decisionId: 'd1' }))
    visitor.send(order(4 * HOUR, { revenue: 8 }))
    // Times of clients may be a little before the decision's.
    visitor.send(order(-SECOND, { revenue: 1, decisionId: 'd1' }))
    expect(visitor.records.map(({ reward }) => reward)).toEqual([0, 8 * ONE, 10 * ONE, 11 * ONE])
    const signedUp = served([{ event: 'Signed Up', windowHours: 24, halfLife: '2h' }])
    signedUp.send(view(SECOND))
    for (const hours of [2, 4]) signedUp.send(track('Signed Up', hours * HOUR))
    expect(signedUp.records.map(({ reward }) => reward)).toEqual([0, ONE / 2, ONE / 2 + ONE / 4])
  })

  it('earns by what halves eight times what it is worth at most, however often it comes', () => {
    const visitor = served([{ event: 'Shared', windowHours: 24, halfLife: '365d' }])
    visitor.send(view(SECOND))
    for (let times = 1; times <= 20; times++) visitor.send(track('Shared', times * SECOND))
    expect(visitor.records.at(-1)!.reward).toBe(8 * ONE)
  })

  it('carries its features and the segments of its person', () => {
    const items = [{ contentId: 'tent', position: 1, features: [3, 1, 4, -2] }]
    const visitor = served(undefined, { items, segments: ['vip'] })
    visitor.send(view(SECOND))
    visitor.send(click(SECOND))
    expect(visitor.records).toMatchObject([
      { features: [3, 1, 4, -2], segments: ['vip'] },
      { features: [3, 1, 4, -2], segments: ['vip'] },
    ])
  })

  it('is kept but not learned from where it only counts towards caps', () => {
    const visitor = served(undefined, { isOnlyCounted: true })
    expect(visitor.send(view(SECOND), click(SECOND))).toEqual([])
    expect(visitor.profile.decisions?.[0]?.items[0]).toMatchObject({ viewedAt: NOON + SECOND })
  })
})

describe('a reward', () => {
  it.each<[string, number, number]>([
    ['5 s before the decision counts', -5 * SECOND, ONE],
    ['earlier does not', -5 * SECOND - 1, 0],
    ['at the end of the window counts', 24 * HOUR, ONE],
    ['later does not', 24 * HOUR + 1, 0],
  ])('%s, by the time of the event', (_what, afterMs, reward) => {
    const visitor = served(undefined)
    visitor.send(view(0))
    visitor.sendAt(NOON + 5 * 24 * HOUR, click(afterMs))
    expect(visitor.sums).toEqual({ 'd1 tent': reward })
  })

  it('that names a decision belongs to it and to no other, and to the item it names', () => {
    const visitor = served([ORDER], {}, { decisionId: 'd2', at: NOON + HOUR })
    visitor.send(view(1), view(1, 'boots'), view(HOUR, 'tent', 'd2'))
    visitor.send(order(2 * HOUR, { decisionId: 'd1', contentId: 'boots' }))
    expect(visitor.sums).toEqual({ 'd1 boots': ONE, 'd1 tent': 0, 'd2 tent': 0 })
  })

  it('that names a decision alone belongs to the item that was viewed first', () => {
    const visitor = served([ORDER])
    visitor.send(view(2), view(1, 'boots'), order(HOUR, { decisionId: 'd1' }))
    expect(visitor.sums).toEqual({ 'd1 boots': ONE, 'd1 tent': 0 })
  })

  it('that names an unknown decision, or content that it did not show, belongs to none', () => {
    const visitor = served([ORDER])
    visitor.send(view(1), order(2, { decisionId: 'd9' }), order(2, { decisionId: 'd1', contentId: 'hat' }))
    expect(visitor.sums).toEqual({ 'd1 tent': 0 })
  })

  it('that names none belongs, in each slot, to the latest decision that was viewed before', () => {
    const visitor = served(
      [ORDER],
      {},
      { decisionId: 'd2', at: NOON + HOUR },
      { decisionId: 'd3', at: NOON + 2 * HOUR },
      { decisionId: 'd4', slotId: 'side', at: NOON - HOUR },
      { decisionId: 'd5', slotId: 'foot', rewards: [{ ...ORDER, event: 'Signed Up' }] },
    )
    visitor.send(view(1), view(HOUR, 'tent', 'd2'), view(3 * HOUR, 'tent', 'd3'))
    visitor.send(view(0, 'tent', 'd4'), view(0, 'tent', 'd5'), order(2.5 * HOUR))
    expect(visitor.sums).toEqual({ 'd1 tent': 0, 'd2 tent': ONE, 'd3 tent': 0, 'd4 tent': ONE, 'd5 tent': 0 })
  })

  it('goes to one decision of a slot although its rewards have changed since', () => {
    const visitor = served([ORDER], {}, { decisionId: 'd2', at: NOON + HOUR, rewards: [{ ...ORDER, value: 2 }] })
    visitor.send(view(1), view(HOUR, 'tent', 'd2'), order(2 * HOUR))
    expect(visitor.sums).toEqual({ 'd1 tent': 0, 'd2 tent': 2 * ONE })
  })

  it.each<[string, object, string]>([
    ['the product that it names', { product_id: 'boots' }, 'd1 boots'],
    ['a product of its list', { products: [{ product_id: 'x' }, { sku: 'boots' }] }, 'd1 boots'],
    ['the item that was clicked last', {}, 'd1 tent'],
  ])('that names no decision goes to %s', (_what, properties, key) => {
    const visitor = served([ORDER])
    visitor.send(view(1), view(1, 'boots'), click(2, 'tent'), click(1, 'boots'), click(HOUR + 1, 'boots'))
    visitor.send(order(HOUR, properties))
    expect(Object.entries(visitor.sums).filter(([, reward]) => reward > 0)).toEqual([[key, ONE]])
  })

  it('that names no decision goes to the item that was viewed first where none was clicked', () => {
    const visitor = served([ORDER])
    visitor.send(view(2), view(1, 'boots'), order(HOUR))
    expect(visitor.sums).toEqual({ 'd1 boots': ONE, 'd1 tent': 0 })
  })

  it('without value counts once per item, with a value each time, of an order once', () => {
    const visitor = served([ORDER, REVENUE])
    visitor.send(view(1), order(2, { revenue: 10 }), order(3, { revenue: 5.5 }), order(4, { revenue: 1, order_id: 7 }))
    visitor.send(order(5, { revenue: 1, order_id: '7' }), order(6, { revenue: 2, order_id: '8' }))
    expect(visitor.sums).toEqual({ 'd1 tent': Math.round((1 + 10 + 5.5 + 1 + 2) * ONE) })
  })

  it.each<[string, unknown, number]>([
    ['rounded to four digits', 0.123456, 1235],
    ['as a text of digits', '12.50', 125_000],
    ...['1,234.56', '$12.50', 'NaN', 'Infinity', '', true].map((none): [string, unknown, number] => [
      `not what is no number: ${none}`,
      none,
      0,
    ]),
    ['not what is beyond the bounds', MAX_REWARD + 1, 0],
    ['not what takes away, which its slot has not allowed', -3, 0],
  ])('counts its value %s', (_what, revenue, reward) => {
    const visitor = served([REVENUE])
    visitor.send(view(1), order(2, { revenue }))
    expect(visitor.sums).toEqual({ 'd1 tent': reward })
  })

  it('is bounded for each item as its slot says, whatever messages say', () => {
    const visitor = served([{ ...REVENUE, min: -2, max: 50 }], {}, { decisionId: 'd2', slotId: 'side' })
    visitor.send(view(1), order(2, { revenue: -3 }))
    expect(visitor.sums).toEqual({ 'd1 tent': -2 * ONE })
    visitor.send(order(3, { revenue: 90_000 }), order(4, { revenue: 90_000 }))
    expect(visitor.sums).toEqual({ 'd1 tent': 50 * ONE })
  })

  it.each([2, -2])('of %d for each message counts eight times for an item at most', value => {
    const visitor = served([{ ...ORDER, value }])
    visitor.send(view(1), ...Array.from({ length: 20 }, (_, n) => order(2 + n)))
    expect(visitor.sums).toEqual({ 'd1 tent': 8 * value * ONE })
  })

  it('earns no more than its decision says is usual, unless its slot says so', () => {
    const visitor = served(undefined, { rewards: [REVENUE], most: 400 * ONE })
    visitor.send(view(1), order(2, { revenue: MAX_REWARD }), order(3, { revenue: MAX_REWARD }))
    expect(visitor.sums).toEqual({ 'd1 tent': 400 * ONE })
    const declared = served(undefined, { rewards: [{ ...REVENUE, max: 5_000 }], most: 400 * ONE })
    declared.send(view(1), order(2, { revenue: MAX_REWARD }))
    expect(declared.sums).toEqual({ 'd1 tent': 5_000 * ONE })
  })

  it.each(['public', 'unsigned', 'secret'] as const)('from secret keys alone ignores others: %s', sender => {
    const visitor = served([{ ...REVENUE, from: 'secret' }])
    visitor.send(view(1))
    visitor.apply({ sender, messages: [order(2, { revenue: 3 })] })
    expect(visitor.sums).toEqual({ 'd1 tent': sender === 'secret' ? 3 * ONE : 0 })
  })

  it('of many messages stays within the bounds', () => {
    const visitor = served([REVENUE])
    visitor.send(view(1), order(2, { revenue: MAX_REWARD }), order(3, { revenue: MAX_REWARD }))
    expect(visitor.sums).toEqual({ 'd1 tent': MAX_REWARD * ONE })
  })

  it('counts where its condition is met; one that cannot be used yields nothing', () => {
    const where = (condition: object): Reward => ({ ...ORDER, value: 1, where: condition as Reward['where'] & object })
    const rewards = [where({ 'properties.coupon': 'SUMMER' }), where({ $nonsense: 1 })]
    const visitor = served(rewards)
    visitor.send(view(1), order(2, { coupon: 'WINTER' }), order(3, { coupon: 'SUMMER' }))
    expect(visitor.sums).toEqual({ 'd1 tent': ONE })
  })

  it('may be another type of message than track', () => {
    const visitor = served([{ event: 'identify', windowHours: 1 }])
    visitor.send(view(1), { ...track('', 2), type: 'identify' })
    expect(visitor.sums).toEqual({ 'd1 tent': ONE })
  })
})

describe('an order of which page and server tell', () => {
  const page = { sender: 'public', messages: [order(2, { revenue: 0.01, order_id: 'o1' })] } as const
  const server = { sender: 'secret', messages: [order(9, { revenue: 20, order_id: 'o1' })] } as const

  it.each([
    ['before', [page, server]],
    ['after', [server, page]],
  ] as const)('counts as the server says, the page %s', (_when, told) => {
    const visitor = served([REVENUE])
    visitor.send(view(1))
    for (const { sender, messages } of told) visitor.apply({ sender, messages: [...messages] })
    expect(visitor.sums).toEqual({ 'd1 tent': 20 * ONE })
    expect(visitor.profile.earnings).toHaveLength(1)
  })

  it('counts although a page sent as many messages as a profile keeps', () => {
    const visitor = served([REVENUE])
    visitor.send(view(1), ...Array.from({ length: MAX_EARNINGS }, (_, n) => order(2 + n, { revenue: 1 })))
    visitor.apply({ sender: 'secret', messages: [...server.messages] })
    expect(visitor.sums).toEqual({ 'd1 tent': (MAX_EARNINGS - 1 + 20) * ONE })
    visitor.send(order(5, { revenue: 1 }))
    expect(visitor.profile.earnings).toHaveLength(MAX_EARNINGS)
    expect(visitor.profile.earnings?.filter(({ isSecret }) => isSecret)).toHaveLength(1)
  })
})

it('a message that is sent again long after counts once', () => {
  const visitor = served([REVENUE])
  const first = order(2, { revenue: 3 })
  visitor.send(view(1), first)
  for (let n = 0; n < 200; n++) visitor.send(track('Seen', 3))
  visitor.send(first)
  expect(visitor.sums).toEqual({ 'd1 tent': 3 * ONE })
})

it('a visitor who seems to be a program makes no records, unless its site includes programs', () => {
  const pages = Array.from({ length: 150 }, (_, n) => ({ ...track('', n * 100), type: 'page' as const }))
  for (const [includesBots, count] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const visitor = createVisitor({ includesBots })
    visitor.serve(decision())
    visitor.send(...pages)
    expect(visitor.send(view(1))).toHaveLength(count)
    expect(visitor.profile.decisions?.[0]?.items[0]).toHaveProperty('viewedAt')
  }
})

it.each([
  ['a crawler that names itself', { reason: 'user_agent', match: 'Googlebot', crawler: 'Googlebot' }, false],
  ['an HTTP library', { reason: 'user_agent', match: 'node' }, true],
])('messages of %s are left out only where they name a crawler', (_what, bot, teaches) => {
  const context = { bot }
  const message = { ...view(1), context }
  for (const includesBots of [false, true]) {
    const visitor = createVisitor({ includesBots })
    visitor.serve(decision())
    expect(visitor.send(message)).toHaveLength(teaches || includesBots ? 1 : 0)
    expect('viewedAt' in visitor.profile.decisions![0]!.items[0]!).toBe(teaches || includesBots)
  }
})

it('content leaves for good after the event that its item names, not before it was decided', () => {
  const items = [{ contentId: 'tent', position: 1, stopAfter: 'Order Completed' }]
  const visitor = served(undefined, { items, isOnlyCounted: true })
  visitor.send(order(-HOUR))
  expect(visitor.profile.stopped).toBeUndefined()
  visitor.send(order(1))
  expect(visitor.profile.stopped).toEqual(['tent'])
})

it('content leaves after its event however late that comes, when the decision is kept no longer', () => {
  const items = [{ contentId: 'tent', position: 1, stopAfter: 'Order Completed' }]
  const visitor = served(undefined, { items, isOnlyCounted: true })
  const later = 20 * 24 * HOUR
  visitor.sendAt(NOON + later, track('Seen', later))
  expect(visitor.profile.decisions).toBeUndefined()
  visitor.sendAt(NOON + later, order(later))
  expect(visitor.profile.stopped).toEqual(['tent'])
})

it('a decision that is told first makes the profile', () => {
  const visitor = served(undefined)
  expect(visitor.profile).toMatchObject({ visitorId: 'v1', events: 0, sessions: 0 })
  expect(visitor.profile.decisions).toEqual([decision()])
})

describe('a message of a user that names no browser', () => {
  const { anonymousId: _none, ...purchase } = { ...order(2, { revenue: 3 }), userId: 'ann' }
  const link = (anonymousId: string, at: number) => ({
    ...{ anonymousId, userId: 'ann' },
    link: { firstAt: NOON + at, lastAt: NOON + at, cause: 'identify' },
  })

  it('is forwarded to the browsers that the user is joined with', () => {
    const user = createVisitor(undefined, 'user:ann')
    user.send(purchase)
    expect(user.forward).toBeUndefined()
    user.apply({ identity: [link('v1', 0), link('v2', 1)] })
    expect(user.forward).toBeUndefined()
    user.send(purchase)
    expect(user.forward).toBeUndefined()
    const later = { ...purchase, messageId: 'later' }
    user.send(later)
    expect(user.forward).toEqual({ browsers: ['v1', 'v2'], messages: [later] })
    const ofServer = { ...purchase, messageId: 'of-server' }
    user.apply({ sender: 'secret', messages: [ofServer] })
    expect(user.forward).toEqual({ browsers: ['v1', 'v2'], messages: [ofServer], sender: 'secret' })
  })

  it('counts for what a browser keeps, once, and for nothing else', () => {
    const visitor = served([REVENUE])
    visitor.send(view(1))
    const before = visitor.profile
    visitor.apply({ forwarded: [purchase] })
    visitor.apply({ forwarded: [purchase] })
    expect(visitor.sums).toEqual({ 'd1 tent': 3 * ONE })
    const { seq, decisions, earnings, ...others } = visitor.profile
    expect(before).toMatchObject(others)
  })

  it('is still from whom it was', () => {
    const visitor = served([{ ...REVENUE, from: 'secret' }])
    visitor.send(view(1))
    visitor.apply({ forwarded: [{ ...purchase, messageId: 'p1' }] })
    visitor.apply({ forwarded: [purchase], sender: 'secret' })
    expect(visitor.sums).toEqual({ 'd1 tent': 3 * ONE })
  })

  it('makes no profile of a browser of which nothing is known', () => {
    const visitor = createVisitor()
    visitor.apply({ forwarded: [purchase] })
    expect(visitor.profile).toBeUndefined()
  })
})
