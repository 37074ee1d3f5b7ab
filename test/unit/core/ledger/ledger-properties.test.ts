import type { KeptDecision, ServedDecision, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_EARNINGS } from '#core/ledger/earnings.js'
import { MAX_DECISIONS_BYTES } from '#core/ledger/keep.js'
import { decisionBytes } from '#core/ledger/ledger-size.js'
import { MAX_STOPPED } from '#core/ledger/stopped.js'
import { click, createVisitor, decision, HOUR, NOON, sumsOf, track, view } from './some-decisions.js'

const DAY = 24 * HOUR
const rewards = [
  { event: 'Slot Clicked', windowHours: 2 },
  { event: 'Order Completed', windowHours: 3, value: 'properties.revenue' },
  { event: 'Product Added', windowHours: 1 },
]
const decisions: ServedDecision[] = [
  decision({ rewards }),
  decision({ rewards, decisionId: 'd2', at: NOON + HOUR }),
  decision({ rewards, decisionId: 'd3', slotId: 'side', at: NOON + HOUR / 2, countFrom: 'served' }),
  decision({ rewards: rewards.slice(1), decisionId: 'd4', at: NOON + 2 * HOUR }),
]

const messages = fc.array(
  fc
    .record({
      minutes: fc.integer({ min: -10, max: 320 }),
      event: fc.constantFrom('Slot Viewed', 'Slot Clicked', 'Order Completed', 'Product Added', 'Seen'),
      decisionId: fc.constantFrom('d1', 'd2', 'd3', 'd4', undefined),
      contentId: fc.constantFrom('tent', 'boots', undefined),
      order_id: fc.constantFrom('o1', 'o2', undefined),
      revenue: fc.integer({ min: -3, max: 9 }),
      // Of some messages the numbers have gaps, of some they are claimed; from before the decisions they have none.
      seq: fc.nat(20),
    })
    .map(
      ({ minutes, event, seq, ...properties }): StoredMessage => ({
        ...track(event, minutes * 60_000, JSON.parse(JSON.stringify(properties)) as StoredMessage['properties']),
        context: seq === 0 || seq > 10 || minutes < 0 ? {} : { seq, sessionId: seq % 3 === 0 ? 's2' : 's1' },
      }),
    ),
  { maxLength: 14 },
)

/** Decisions without how often they were told again, which depends on the order. */
const settled = ({ profile }: ReturnType<typeof createVisitor>) =>
  profile.decisions?.map(({ items, ...rest }) => ({
    ...rest,
    items: items.map(({ retells: _retells, ...item }) => item),
  }))

describe('what policies have learned in the end', () => {
  it('is the same in whatever order messages arrive, and however they are batched', () => {
    const shuffled = messages.chain(list =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
        fc.integer({ min: 1, max: 5 }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([list, other, size]) => {
        const [a, b] = [createVisitor(), createVisitor()]
        a.serve(...decisions)
        b.serve(...decisions.toReversed())
        for (const message of list) a.send(message)
        for (let from = 0; from < other.length; from += size) b.send(...other.slice(from, from + size))
        expect(b.sums).toEqual(a.sums)
        expect(settled(b)).toEqual(settled(a))
        expect(b.profile.earnings).toEqual(a.profile.earnings)
        expect(b.profile.arrivals).toEqual(a.profile.arrivals)
      }),
      { numRuns: 150 },
    )
  })

  it('is the same where each message and decision comes twice, and after a replay from any state', () => {
    fc.assert(
      fc.property(messages, list => {
        const [a, b] = [createVisitor(), createVisitor()]
        for (const visitor of [a, b]) visitor.serve(...decisions)
        for (const message of list) a.send(message)
        for (const message of list) b.send(message, message)
        b.serve(...decisions)
        for (const message of list) b.send({ ...message })
        expect(sumsOf(b.records)).toEqual(a.sums)
      }),
      { numRuns: 100 },
    )
  })

  it('is told in the same steps when the stream is applied again from any state', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (list, place) => {
        const visitor = createVisitor()
        visitor.serve(...decisions)
        const steps = list.map(message => {
          const before = structuredClone(visitor.profile)
          return { before, message, records: visitor.send(message) }
        })
        const from = list.length === 0 ? 0 : place % list.length
        const again = createVisitor(undefined, 'v1', steps[from]?.before)
        for (const { message, records } of steps.slice(from)) expect(again.send(message)).toEqual(records)
      }),
      { numRuns: 50 },
    )
  })

  it('does not change when messages follow that are later', () => {
    fc.assert(
      fc.property(messages, list => {
        const byTime = new Map(list.map(message => [Date.parse(message.timestamp), message]))
        const sorted = [...byTime].sort(([a], [b]) => a - b).map(([, message]) => message)
        const visitor = createVisitor()
        visitor.serve(...decisions)
        for (const message of sorted) {
          const revised = visitor.send(message).filter(({ reward, previous = reward }) => {
            const amount = Number(message.properties?.revenue)
            return reward < previous && amount >= 0
          })
          expect(revised).toEqual([])
        }
      }),
      {
        numRuns: 300,
        // An order in the very moment of a decision that counts from then, and a view after it.
        examples: [
          [
            [
              track('Order Completed', HOUR / 2, { decisionId: 'd3', revenue: 1 }),
              view(HOUR / 2 + 60_000, 'tent', 'd3'),
            ],
          ],
        ],
      },
    )
  })
})

describe('a profile', () => {
  const numbers = Array.from({ length: 132 }, (_, n) => n * 3)
  const bytesOf = (kept: KeptDecision[]) => kept.reduce((sum, one) => sum + decisionBytes(one), 0)
  const many = (count: number, fields: Partial<ServedDecision> = {}) =>
    Array.from({ length: count }, (_, n) => decision({ decisionId: `d${1000 + n}`, at: NOON + n, ...fields }))

  it('keeps the latest hundred decisions, whatever the order', () => {
    const [a, b] = [createVisitor(), createVisitor()]
    for (const one of many(150)) a.serve(one)
    b.serve(...many(150).toReversed())
    expect(a.profile.decisions?.map(({ decisionId }) => decisionId)).toEqual(
      many(150)
        .slice(50)
        .map(one => one.decisionId),
    )
    expect(settled(b)).toEqual(settled(a))
  })

  it('stays small: the oldest decisions lose their features, and leave where they are large', () => {
    const visitor = createVisitor()
    const items = ['a', 'b', 'c'].map((contentId, at) => ({ contentId, position: at + 1, features: numbers }))
    visitor.serve(...many(100, { items }))
    const kept = visitor.profile.decisions!
    expect(kept).toHaveLength(100)
    expect(kept[0]!.items[0]).not.toHaveProperty('features')
    expect(kept.at(-1)!.items.every(({ features }) => features?.length === 132)).toBe(true)
    expect(bytesOf(kept)).toBeLessThan(MAX_DECISIONS_BYTES)
    expect(JSON.stringify(kept).length).toBeLessThan(64 * 1024)
    const large = Array.from({ length: 50 }, (_, n) => ({ contentId: `c${n}`, position: n + 1 }))
    visitor.serve(...many(200, { items: large }))
    expect(bytesOf(visitor.profile.decisions!)).toBeLessThan(MAX_DECISIONS_BYTES)
  })

  it('keeps features for a day beyond the windows, decisions for a week beyond them', () => {
    const visitor = createVisitor()
    const items = [{ contentId: 'tent', position: 1, features: numbers }]
    visitor.serve(decision({ items }))
    const kept = (at: number) => {
      visitor.sendAt(at, track('Seen', 0))
      return visitor.profile.decisions
    }
    expect(kept(NOON + 2 * DAY)?.[0]?.items[0]).toHaveProperty('features')
    expect(kept(NOON + 2 * DAY + 1)?.[0]?.items[0]).toEqual({ contentId: 'tent', position: 1 })
    visitor.sendAt(NOON + 7 * DAY, view(1), click(2))
    expect(visitor.sums).toEqual({ 'd1 tent': 10_000 })
    expect(visitor.records[0]).not.toHaveProperty('features')
    expect(kept(NOON + 8 * DAY)).toHaveLength(1)
    expect(visitor.profile.earnings).toHaveLength(1)
    expect(kept(NOON + 8 * DAY + 1)).toBeUndefined()
    expect(visitor.profile.earnings).toBeUndefined()
  })

  it('bounds what messages earn, and what is not shown again', () => {
    const visitor = createVisitor()
    const items = Array.from({ length: 50 }, (_, n) => ({ contentId: `c${n}`, position: n + 1, stopAfter: 'Left' }))
    const named = (prefix: string) => items.map(item => ({ ...item, contentId: `${prefix}${item.contentId}` }))
    visitor.serve(...['x', 'y', 'z'].map(id => decision({ decisionId: id, rewards, items: named(id) })))
    for (let n = 0; n < MAX_EARNINGS + 50; n++) visitor.send(track('Order Completed', n, { revenue: 1 }))
    visitor.send(track('Left', 1))
    expect(visitor.profile.earnings).toHaveLength(MAX_EARNINGS)
    expect(visitor.profile.stopped).toHaveLength(MAX_STOPPED)
  })
})
