import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVIDENCE, MARGIN } from '#core/signals/interest-shift.js'
import { applyAndDetect } from '../../../support/signals.js'
import { DAY, detected, envelope, message, NOW } from './detected.js'

const viewed = (category: string, at = NOW) => message(at, { event: 'Product Viewed', properties: { category } })
const added = (category: string, at = NOW) => message(at, { event: 'Product Added', properties: { category } })
const times = (count: number, category: string) => Array.from({ length: count }, () => viewed(category))
const shifts = (messages: ReturnType<typeof viewed>[]) => detected(messages, 'interest_shift')

describe('an interest shift', () => {
  it('is found when another category is clearly ahead of the one that led', () => {
    const messages = [...times(4, 'shoes'), ...times(6, 'hats')]
    const [shift, ...more] = shifts(messages)
    expect(more).toEqual([])
    expect(shift).toMatchObject({
      signal: 'interest_shift',
      messageId: messages.at(-1)!.messageId,
      details: { from: 'shoes', to: 'hats', from_affinity: 4, to_affinity: 6 },
    })
    expect(shifts(messages.slice(0, -1))).toEqual([])
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

  it('does not flap: each one needs half as much again as the one before', () => {
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
        for (const { details } of found) {
          expect(details.from).toBe(leader)
          expect(details.to_affinity).toBeGreaterThanOrEqual(MARGIN * Number(details.from_affinity))
          leader = details.to
        }
        const total = steps.reduce((sum, { event }) => sum + (event === added ? 3 : 1), 0)
        expect(EVIDENCE * MARGIN ** found.length).toBeLessThanOrEqual(Math.max(EVIDENCE, total))
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
        const weights = new Map<string, number>()
        let leader: string | undefined
        for (const { category, hours } of steps) {
          at += hours * 3_600_000
          for (const [known, weight] of weights) weights.set(known, weight * 2 ** (-hours / (7 * 24)))
          weights.set(category, (weights.get(category) ?? 0) + 1)
        }
        at = NOW
        const messages = steps.map(({ category, hours }) => {
          at += hours * 3_600_000
          return viewed(category, at)
        })
        const found = shifts(messages)
        for (const { details } of found) {
          if (leader !== undefined) expect(details.from).toBe(leader)
          leader = String(details.to)
        }
        const other = leader === 'shoes' ? 'hats' : 'shoes'
        // At the end nobody is ahead by the margin of the one that leads.
        if (leader !== undefined && (weights.get(other) ?? 0) >= EVIDENCE)
          expect(weights.get(other)! / weights.get(leader)!).toBeLessThan(MARGIN + 1e-6)
      }),
      { seed: 12, numRuns: 200 },
    )
  })
})
