import type { InterestMemory } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVIDENCE, MARGIN, MEMORY_MS, RECENT } from '#core/signals/interest-shift.js'
import { applyAndDetect } from '../../../support/signals.js'
import { DAY, detected, envelope, MINUTE, message, NOW } from './detected.js'

const HOUR = 60 * MINUTE

const viewed = (category: string, at = NOW) => message(at, { event: 'Product Viewed', properties: { category } })
const added = (category: string, at = NOW) => message(at, { event: 'Product Added', properties: { category } })
const times = (count: number, category: string) => Array.from({ length: count }, () => viewed(category))
const shifts = (messages: ReturnType<typeof viewed>[]) => detected(messages, 'interest_shift')

describe('an interest shift', () => {
  it('is found when the latest messages diverge from those before', () => {
    const messages = [...times(4, 'shoes'), ...times(3, 'hats')]
    const [shift, ...more] = shifts([...messages, ...times(8, 'hats')])
    expect(more).toEqual([])
    expect(shift).toMatchObject({
      signal: 'interest_shift',
      messageId: messages.at(-1)!.messageId,
      details: { from: 'shoes', to: 'hats', from_affinity: 4, to_affinity: 3 },
    })
    expect(shifts(messages.slice(0, -1))).toEqual([])
  })

  it.each([
    // Shoes before, then hats (h) and shoes (s): whether four in a row are a surprise depends on how much there was.
    [3, 'hhh', false],
    [3, 'hhhh', true],
    [20, 'hhh', true],
    [20, 'hshh', true],
    [20, 'hshsh', true],
    [5, 'hshsh', false],
    [20, 'hshhh', true],
    [200, 'hhs', false],
  ])('of %i messages before and %s is as the divergence says', (before, latest, isFound) => {
    const messages = [...latest].map(letter => viewed(letter === 'h' ? 'hats' : 'shoes'))
    expect(shifts([...times(before, 'shoes'), ...messages]).length > 0).toBe(isFound)
  })

  it('is found in a visitor with a long past, whose sums change slowly, and back again', () => {
    const found = shifts([...times(40, 'shoes'), ...times(12, 'hats'), ...times(5, 'shoes')])
    expect(found.map(({ details }) => [details.from, details.to])).toEqual([
      ['shoes', 'hats'],
      ['hats', 'shoes'],
    ])
    expect(found[0]?.details).toMatchObject({ from_affinity: 40, to_affinity: 3 })
  })

  it('does not come of two people who share a device, once both are known', () => {
    const visits = Array.from({ length: 40 }, (_, n) => times(8, n % 2 === 0 ? 'shoes' : 'hats'))
    expect(shifts(visits.flat()).length).toBeLessThanOrEqual(2)
  })

  it('remembers little, whatever an order holds', () => {
    const products = Array.from({ length: 300 }, (_, n) => ({ category: `category-${n}` }))
    const order = () => message(NOW, { event: 'Order Completed', properties: { products } })
    const { profile } = applyAndDetect(undefined, envelope(Array.from({ length: 20 }, order)), 1)
    expect(JSON.stringify(profile?.signalMemory?.interest_shift).length).toBeLessThan(2_000)
  })

  it('goes on from profiles that remember the leading category alone', () => {
    const { profile } = applyAndDetect(undefined, envelope(times(3, 'shoes')), 1)
    const older = { ...profile!, signalMemory: { interest_shift: 'shoes' } }
    const { signals } = applyAndDetect(older, envelope([added('hats'), added('hats')]), 2)
    expect(signals.map(({ details }) => details)).toMatchObject([{ from: 'shoes', to: 'hats', to_affinity: 6 }])
  })

  it('is not the first category that leads, nor one with little behind it', () => {
    expect(shifts(times(9, 'shoes'))).toEqual([])
    // The shoes are nearly forgotten, but two views of hats are little.
    const later = NOW + 40 * DAY
    expect(shifts([...times(3, 'shoes'), viewed('hats', later), viewed('hats', later)])).toEqual([])
    expect(shifts([...times(3, 'shoes'), added('hats', later)])).toHaveLength(1)
  })

  it('needs three product views within a day of both categories', () => {
    const within = (hours: number, count = 3) =>
      Array.from({ length: count }, (_, i) => viewed('shoes', NOW + (i * hours * 3_600_000) / (count - 1)))
    const cart = added('hats', NOW + 20 * DAY)
    expect(shifts([...within(24), cart])).toHaveLength(1)
    expect(shifts([...within(24, 2), cart])).toEqual([])
    expect(shifts([...within(72), cart])).toEqual([])
  })

  it('is found once what led is forgotten altogether', () => {
    const [shift] = shifts([...times(3, 'shoes'), added('hats', NOW + 400 * DAY)])
    expect(shift?.details).toMatchObject({ from: 'shoes', from_affinity: 0, to_affinity: 3 })
  })

  it('knows categories named like parts of the prototype', () => {
    const [shift] = shifts([...times(3, 'constructor'), added('hats', NOW + 400 * DAY)])
    expect(shift?.details).toMatchObject({ from: 'constructor', from_affinity: 0 })
  })

  it('does not come of looking at two things in turns, however long', () => {
    const turns = Array.from({ length: 400 }, (_, i) => viewed(i % 2 === 0 ? 'shoes' : 'hats', NOW + i * 1_000))
    expect(shifts(turns)).toEqual([])
  })

  it('does not flap: each needs three of the latest five messages, or half as much again as the one before', () => {
    const step = fc.record({
      category: fc.constantFrom('shoes', 'hats', 'coats'),
      event: fc.constantFrom(viewed, added),
      count: fc.integer({ min: 1, max: 20 }),
    })
    let most = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12, size: 'max' }), moods => {
        const steps = moods.flatMap(mood => Array.from({ length: mood.count }, () => mood))
        const messages = steps.map(({ category, event }) => event(category))
        const found = applyAndDetect(undefined, envelope(messages), 1).signals.filter(
          ({ signal }) => signal === 'interest_shift',
        )
        let leader = found[0]?.details.from
        for (const { details, messageId } of found) {
          expect(details.from).toBe(leader)
          const place = messages.findIndex(one => one.messageId === messageId)
          const latest = messages.slice(Math.max(0, place - RECENT + 1), place + 1)
          const ofNext = latest.filter(({ properties }) => properties?.category === details.to)
          const isAhead = Number(details.to_affinity) >= MARGIN * Number(details.from_affinity)
          expect(isAhead || ofNext.length >= 3).toBe(true)
          expect(Number(details.to_affinity)).toBeGreaterThanOrEqual(EVIDENCE)
          leader = details.to
        }
        most = Math.max(most, found.length)
      }),
      { seed: 11, numRuns: 150 },
    )
    expect(most).toBeGreaterThan(2)
  })

  it('does not flap either when time passes: what leads keeps leading until another one has the margin', () => {
    const step = fc.record({ category: fc.constantFrom('shoes', 'hats'), hours: fc.nat(72) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), steps => {
        let at = NOW
        const counts = new Map<string, number>()
        const messages = steps.map(({ category, hours }) => {
          at += hours * HOUR
          for (const [known, count] of counts) counts.set(known, count * 2 ** ((-hours * HOUR) / MEMORY_MS))
          counts.set(category, (counts.get(category) ?? 0) + 1)
          return viewed(category, at)
        })
        const { profile, signals } = applyAndDetect(undefined, envelope(messages), 1)
        const found = signals.filter(({ signal }) => signal === 'interest_shift')
        const memory = (profile?.signalMemory?.interest_shift ?? { base: {} }) as InterestMemory
        let leader = found.length > 0 ? String(found[0]!.details.from) : memory.leading
        for (const { details } of found) {
          expect(details.from).toBe(leader)
          leader = String(details.to)
        }
        expect(memory.leading).toBe(leader)
        // At the end nothing is ahead by the margin of what leads, unless that took the lead by what came last.
        const before = Object.values(memory.base).reduce((a, b) => a + b, 0)
        if (leader === undefined || memory.passed !== undefined || before < EVIDENCE) return
        const other = leader === 'shoes' ? 'hats' : 'shoes'
        const ahead = (counts.get(other) ?? 0) / counts.get(leader)!
        if ((counts.get(other) ?? 0) >= EVIDENCE) expect(ahead).toBeLessThan(MARGIN + 0.05)
      }),
      { seed: 12, numRuns: 200 },
    )
  })
})
