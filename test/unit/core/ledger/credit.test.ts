import type { Earning, KeptDecision, KeptItem } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { creditItems } from '#core/ledger/credit.js'
import { rewardsOf } from '#core/ledger/rewards.js'
import { decision, HOUR, NOON } from './some-decisions.js'

const rewards = [
  { event: 'Slot Clicked', windowHours: 2 },
  { event: 'Order Completed', windowHours: 3, value: 'properties.revenue' },
  { event: 'Product Added', windowHours: 1, value: 1 },
  { event: 'Signed Up', windowHours: 6, value: 5, halfLife: '1h' },
]
const hashes = rewardsOf({ rewards }).rewards.map(({ hash }) => hash)
const SKEW = 5_000

/** What crediting means, said plainly: every decision is asked about every earning. */
function creditPlainly(decisions: readonly KeptDecision[], earnings: readonly Earning[]): Map<KeptItem, number> {
  const credited = new Map<KeptItem, Map<number, number>>()
  const learning = decisions.filter(one => !one.isOnlyCounted)
  for (const earning of earnings) {
    const { at, decisionId, contentIds = [] } = earning
    const amountsOf = (one: KeptDecision) =>
      rewardsOf(one).rewards.flatMap(({ hash, windowMs }) => {
        const hours = hash === hashes[3] ? Math.max(0, at - one.at) / HOUR : 0
        const place = earning.worth.findIndex((value, index) => index % 2 === 0 && value === hash)
        const isWithin = at >= one.at - SKEW && at <= one.at + windowMs
        const worth = () => Math.round(earning.worth[place + 1]! * 2 ** -hours)
        return place >= 0 && isWithin ? [[hash, worth()] as const] : []
      })
    const viewOf = (one: KeptDecision, item: KeptItem) =>
      one.countFrom === 'served' ? one.at : (item.viewedAt ?? Number.POSITIVE_INFINITY)
    const isViewed = (one: KeptDecision) => one.items.some(item => viewOf(one, item) <= Math.max(at, one.at))
    const slots = new Set(learning.map(({ slotId }) => slotId))
    const meant =
      decisionId === undefined
        ? [...slots].map(slotId =>
            learning.findLast(
              one => one.slotId === slotId && at >= one.at - SKEW && isViewed(one) && amountsOf(one).length > 0,
            ),
          )
        : [learning.find(one => one.decisionId === decisionId)]
    for (const one of meant) {
      if (!one) continue
      const time = Math.max(at, one.at)
      const clickOf = ({ clicks = [] }: KeptItem) => clicks.findLast(click => click <= time) ?? -1
      const lastOf = (items: readonly KeptItem[]) =>
        items.reduce<KeptItem | undefined>(
          (last, item) => (clickOf(item) > (last ? clickOf(last) : -1) ? item : last),
          undefined,
        )
      const first = one.items
        .filter(item => viewOf(one, item) < Number.POSITIVE_INFINITY)
        .sort((a, b) => viewOf(one, a) - viewOf(one, b))[0]
      const named = one.items.filter(({ contentId }) => contentIds.includes(contentId))
      const clicked = decisionId === undefined ? lastOf(one.items) : undefined
      const item = named.length > 0 ? (lastOf(named) ?? named[0]) : (clicked ?? first)
      if (!item) continue
      const sums = credited.get(item) ?? new Map<number, number>()
      credited.set(item, sums)
      for (const [hash, amount] of amountsOf(one))
        if (hash !== hashes[0]) sums.set(hash, (sums.get(hash) ?? 0) + amount)
        else sums.set(hash, amount)
    }
  }
  const most = new Map([
    [hashes[0]!, 1e9],
    [hashes[1]!, 1e9],
    [hashes[2]!, 80_000],
    [hashes[3]!, 400_000],
  ])
  return new Map(
    [...credited].flatMap(([item, sums]) =>
      sums.size === 0
        ? []
        : [[item, [...sums].reduce((sum, [hash, amount]) => sum + Math.min(most.get(hash)!, amount), 0)]],
    ),
  )
}

const minutes = (max: number) => fc.integer({ min: -2, max }).map(n => NOON + n * 60_000)
const items = fc.tuple(
  ...['tent', 'boots', 'hat'].map(contentId =>
    fc.record(
      {
        contentId: fc.constant(contentId),
        position: fc.constant(1),
        viewedAt: minutes(200),
        clicks: fc.array(minutes(200), { maxLength: 3 }).map(list => list.sort((a, b) => a - b)),
      },
      { requiredKeys: ['contentId', 'position'] },
    ),
  ),
)
const kept = fc
  .array(
    fc.record({
      slotId: fc.constantFrom('hero', 'side'),
      at: minutes(120),
      items,
      rewards: fc.constantFrom(rewards, rewards.slice(1), rewards.slice(0, 1)),
      countFrom: fc.constantFrom('viewed' as const, 'served' as const),
      isOnly: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map(list =>
    list
      .sort((a, b) => a.at - b.at)
      .map(({ isOnly, ...one }, n) =>
        decision({ ...one, decisionId: `d${n}`, ...(isOnly && { isOnlyCounted: true as const }) }),
      ),
  )
const earned = fc
  .array(
    fc.record(
      {
        at: minutes(400),
        decisionId: fc.constantFrom('d0', 'd1', 'd2'),
        contentIds: fc.subarray(['tent', 'boots', 'hat'], { minLength: 1 }),
        worth: fc
          .subarray([0, 1, 2, 3], { minLength: 1 })
          .map(places => places.flatMap(place => [hashes[place]!, 10_000])),
      },
      { requiredKeys: ['at', 'worth'] },
    ),
    { maxLength: 14 },
  )
  .map(list => list.sort((a, b) => a.at - b.at).map((one, id): Earning => ({ id, ...one }) as Earning))

const amounts = (credited: ReturnType<typeof creditItems>) =>
  new Map([...credited].map(([item, { reward }]) => [item, reward]))

it('credits as going through all decisions for each message does', () => {
  fc.assert(
    fc.property(kept, earned, (decisions, earnings) => {
      const entries = (map: Map<KeptItem, number>) =>
        decisions.flatMap(({ decisionId, items }) => items.map(item => [decisionId, item.contentId, map.get(item)]))
      expect(entries(amounts(creditItems(decisions, earnings)))).toEqual(entries(creditPlainly(decisions, earnings)))
    }),
    { numRuns: 500 },
  )
})

it('credits the same where a message changes what was credited before', () => {
  fc.assert(
    fc.property(kept, earned, fc.array(fc.nat(), { minLength: 14, maxLength: 14 }), (served, all, numbers) => {
      let decisions = served
      let earnings: Earning[] = []
      for (const [step, earning] of all.entries()) {
        const before = earnings
        const number = numbers[step]!
        earnings = [...earnings.filter((_, place) => number % 4 !== 0 || place !== number % 5), earning]
        const place = number % Math.max(1, decisions.length)
        const one = decisions[place]
        // Told, viewed, or gone: some of what a message changes.
        if (one && number % 3 === 0)
          decisions = decisions.with(place, { ...one, items: one.items.map(item => ({ ...item, reward: number })) })
        if (one && number % 7 === 0)
          decisions = decisions.with(place, { ...one, items: one.items.map(item => ({ ...item, viewedAt: one.at })) })
        if (number % 11 === 0) decisions = decisions.slice(1)
        const credited = creditItems(decisions, earnings, before)
        const plainly = creditPlainly(decisions, earnings)
        for (const { items } of decisions)
          for (const item of items) expect(credited.get(item)?.reward).toBe(plainly.get(item))
      }
    }),
    { numRuns: 300 },
  )
})

/** Decisions that count how often their items are read. */
function counted(slots: number, viewedAt: number) {
  const count = { reads: 0 }
  const decisions = Array.from({ length: 100 }, (_, n) => {
    const one: KeptDecision = decision({
      ...{ decisionId: `d${n}`, slotId: `s${n % slots}`, at: NOON + n, rewards },
      items: Array.from({ length: 10 }, (_, at) => ({
        ...{ contentId: `c${at}`, position: at + 1, clicks: [NOON + n, NOON + 2 * HOUR] },
        viewedAt,
      })),
    })
    const { items } = one
    return Object.defineProperty(one, 'items', {
      get: () => {
        count.reads++
        return items
      },
    })
  })
  const earning = (id: number): Earning => ({
    at: NOON + 1_000 + id,
    id,
    contentIds: ['c1'],
    worth: [hashes[1]!, 10_000],
  })
  return { count, decisions, earnings: Array.from({ length: 200 }, (_, id) => earning(id)), earning }
}

it('reads the items of a decision a few times, however many messages there are', () => {
  // Too late for every message: none finds a decision before it has asked all of them.
  const { count, decisions, earnings } = counted(10, NOON + 24 * HOUR)
  creditItems(decisions, earnings)
  expect(count.reads).toBeLessThanOrEqual(2 * decisions.length)
})

it('asks the decisions of all slots for one more message, and not once more for those before', () => {
  const { count, decisions, earnings, earning } = counted(100, NOON)
  creditItems(decisions, earnings)
  count.reads = 0
  const more = [...earnings.slice(1), earning(500)]
  creditItems(decisions, more, earnings)
  expect(count.reads).toBeLessThanOrEqual(10 * decisions.length)
})
