import { parseProfile, type Reward } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { addOutcome, emptyEpochs } from '#core/learning/epochs/epochs.js'
import { readModel } from '#core/learning/model/slot-model.js'
import { REWARD_SCALE } from '#core/learning/sums/fixed-point.js'
import { MAX_TAUGHT } from '#core/ledger/bounds/taught.js'
import { usualMost } from '#core/ledger/bounds/usual-most.js'
import { click, createVisitor, decision, HOUR, NOON, sumsOf, track, view } from './some-decisions.js'

const DAY = 24 * HOUR
const REVENUE: Reward = { event: 'Order Completed', windowHours: 24, value: 'properties.revenue' }

describe('one visitor', () => {
  const many = (count: number, from = NOON, slotId = 'hero') =>
    Array.from({ length: count }, (_, n) =>
      decision({
        decisionId: `${slotId}${from + n}`,
        slotId,
        at: from + n,
        items: [{ contentId: 'tent', position: 1 }],
      }),
    )
  const viewed = (decisions: ReturnType<typeof many>) =>
    decisions.map(({ decisionId, at }) => view(at - NOON + 1, 'tent', decisionId))

  it(`teaches a slot ${MAX_TAUGHT} outcomes a day, also of decisions that it keeps no more`, () => {
    const visitor = createVisitor()
    for (let at = 0; at < 160; at += 40) {
      const decisions = many(40, NOON + 1_000 * at)
      visitor.serve(...decisions)
      visitor.send(...viewed(decisions))
    }
    const side = many(3, NOON + 200_000, 'side')
    visitor.serve(...side)
    visitor.send(...viewed(side))
    expect(visitor.records.filter(({ slotId }) => slotId === 'hero')).toHaveLength(MAX_TAUGHT)
    expect(visitor.records.filter(({ slotId }) => slotId === 'side')).toHaveLength(3)
    // All count towards caps.
    expect(visitor.profile.decisions).toHaveLength(100)
    expect(visitor.profile.decisions!.every(({ items }) => items[0]!.viewedAt !== undefined)).toBe(true)
  })

  it('teaches what comes later of these outcomes, and nothing of the others', () => {
    const visitor = createVisitor()
    const decisions = many(MAX_TAUGHT + 1)
    visitor.serve(...decisions)
    visitor.send(...viewed(decisions))
    const [first, last] = [decisions[0]!.decisionId, decisions.at(-1)!.decisionId]
    expect(visitor.send(click(2, 'tent', last))).toEqual([])
    expect(visitor.send(click(2, 'tent', first))).toMatchObject([{ decisionId: first, reward: REWARD_SCALE }])
  })

  it('teaches again the next day, and keeps no count of days that are over', () => {
    const visitor = createVisitor()
    const [today, tomorrow] = [many(30), many(30, NOON + DAY)]
    visitor.serve(...today)
    visitor.send(...viewed(today))
    visitor.apply({ served: tomorrow }, NOON + DAY)
    visitor.sendAt(NOON + DAY + HOUR, ...viewed(tomorrow))
    expect(visitor.records).toHaveLength(2 * MAX_TAUGHT)
    expect(visitor.profile.taught).toHaveLength(2)
    expect(parseProfile(visitor.profile)).toMatchObject({ ok: true })
    expect(parseProfile({ ...visitor.profile, taught: [['hero', 1]] })).toMatchObject({ ok: false })
    visitor.sendAt(NOON + 30 * DAY, track('Seen', 0))
    expect(visitor.profile.taught).toBeUndefined()
  })

  it('is told in the same steps when its stream is applied again', () => {
    const decisions = many(50)
    const run = (from?: number) => {
      const visitor = createVisitor()
      visitor.serve(...decisions)
      const messages = viewed(decisions).map((message, n) => ({ ...message, messageId: `m${n}` }))
      const before = messages.slice(0, from ?? 0)
      for (const message of before) visitor.send(message)
      const again = createVisitor(undefined, 'v1', structuredClone(visitor.profile))
      for (const message of messages.slice(from ?? 0)) again.send(message)
      return sumsOf([...visitor.records, ...again.records])
    }
    expect(run(15)).toEqual(run())
    expect(run(35)).toEqual(run())
    expect(Object.keys(run())).toHaveLength(MAX_TAUGHT)
  })
})

describe('what is typical for a slot', () => {
  const now = NOON + 3 * HOUR
  const OPTIONS = { dimension: 0, trendHalfLifeMs: HOUR }

  /** A slot of two contents, each of which earns 50 in one of ten views. */
  function learned(views: number) {
    const epochs = emptyEpochs(now)
    for (let n = 0; n < views; n++) add(epochs, n, n % 20 < 2 ? 50 : 0)
    return epochs
  }
  function add(epochs: ReturnType<typeof emptyEpochs>, n: number, reward: number, sign: 1 | -1 = 1) {
    const at = NOON + ((n * 7_919) % (2 * HOUR))
    addOutcome(
      epochs,
      { contentId: n % 2 === 0 ? 'a' : 'b', at, position: 1, reward: reward * REWARD_SCALE, segments: [] },
      sign,
    )
  }
  const typicalOf = (epochs: ReturnType<typeof emptyEpochs>) => readModel(epochs, OPTIONS).typical

  it('is not known of a few outcomes, nor of none that earned something', () => {
    expect(typicalOf(learned(100))).toBeUndefined()
    expect(typicalOf(emptyEpochs(now))).toBeUndefined()
    expect(typicalOf(learned(400))).toBe(50)
  })

  it('is not changed by huge outcomes, and not by having had them', () => {
    const epochs = learned(4_000)
    for (let n = 0; n < 20; n++) add(epochs, n, 100_000)
    expect(typicalOf(epochs)).toBe(50)
    for (let n = 0; n < 20; n++) add(epochs, n, 100_000, -1)
    expect(epochs).toEqual(learned(4_000))
  })

  it('bounds what one message can add to one that earns eight times as much', () => {
    const most = usualMost([REVENUE], typicalOf(learned(4_000)))!
    expect(most).toBe(400 * REWARD_SCALE)
    for (const revenue of [100_000, -100_000]) {
      const visitor = createVisitor()
      visitor.serve(decision({ rewards: [REVENUE], most }))
      visitor.send(view(1), track('Order Completed', 2, { revenue }))
      expect(visitor.sums).toEqual({ 'd1 tent': revenue > 0 ? most : 0 })
    }
  })

  it.each<[string, Reward[] | undefined, number | undefined, number | undefined]>([
    ['rewards by value', [REVENUE], 50, 400 * REWARD_SCALE],
    ['values of which nothing is typical yet', [REVENUE], undefined, undefined],
    ['the default rewards', undefined, 1, undefined],
    ['rewards with clicks among them', [REVENUE, { event: 'Slot Clicked', windowHours: 1 }], 1, undefined],
    ['rewards that say what is the most', [{ ...REVENUE, max: 9 }], 50, undefined],
    ['huge values', [REVENUE], 90_000, 100_000 * REWARD_SCALE],
  ])('bounds %s', (_what, rewards, typical, most) => {
    expect(usualMost(rewards, typical)).toBe(most)
  })
})
