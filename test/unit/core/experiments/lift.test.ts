import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { differenceOf, estimateOf, relativeLiftOf } from '#core/experiments/lift.js'
import { normalAbove, powerOf } from '#core/experiments/power.js'
import { sequenceBound } from '#core/experiments/sequences/sequence.js'
import { addDay, emptySums } from './some-experiments.js'

const sums = (units: number, rewards: number) => ({ units, sum: rewards, squares: rewards })

describe('lift', () => {
  it('is relative, with the interval of the delta method', () => {
    const lift = relativeLiftOf(sums(10_000, 1_100), sums(10_000, 1_000))!
    // Var of m/m0 with m = .11, m0 = .1 and their variances p(1 − p)/9,999.
    const variance = (0.11 * 0.89) / 9_999 / 0.01 + (0.0121 * 0.1 * 0.9) / 9_999 / 0.0001
    const reach = Math.sqrt(variance) * sequenceBound(20_000)
    expect(lift.value).toBeCloseTo(0.1, 12)
    expect(lift.high - lift.value).toBeCloseTo(reach, 10)
    expect(lift.isSignificant).toBe(false)
    expect(lift.pValue).toBeGreaterThan(0.05)
  })

  it('of sums of amounts takes their spread from the squares', () => {
    const amounts = [0, 0, 30, 10, 0, 60]
    const arm = {
      units: 600,
      sum: 100 * amounts.reduce((sum, amount) => sum + amount, 0),
      squares: 100 * amounts.reduce((sum, amount) => sum + amount ** 2, 0),
    }
    const { value, low, high } = differenceOf(arm, { ...arm })!
    expect(value).toBe(0)
    expect(high).toBeCloseTo(-low, 12)
    expect(estimateOf(arm)!.value).toBeCloseTo(100 / 6, 10)
  })

  it('is not certain of an arm in which all earned the same', () => {
    const bound = sequenceBound(1_000)
    const none = estimateOf(sums(1_000, 0))!
    expect(none.value).toBe(0)
    expect([none.low, none.high].map(limit => limit * 1_000)).toEqual([-bound, bound].map(n => expect.closeTo(n, 10)))
    const all = estimateOf({ units: 1_000, sum: 100, squares: 1_000 * 0.1 * 0.1 })!
    expect([all.low, all.high].map(limit => limit * 1_000)).toEqual(
      [-bound, bound].map(n => expect.closeTo(100 + 0.1 * n, 6)),
    )
  })

  it('is not told of fewer units than are asked for, and not against nothing', () => {
    expect(relativeLiftOf(sums(99, 10), sums(10_000, 900))).toBeUndefined()
    expect(relativeLiftOf(sums(99, 10), sums(10_000, 900), { least: 50 })).toBeDefined()
    expect(relativeLiftOf(sums(1_000, 10), sums(1_000, 0))).toBeUndefined()
    expect(differenceOf(sums(1_000, 10), sums(1_000, 0))).toBeDefined()
  })
})

describe('a thousand experiments without a difference', () => {
  it('are found significant at any of 60 daily looks in 6.5 % or less', () => {
    const random = seededRandom('a/a')
    let found = 0
    for (let experiment = 0; experiment < 1_000; experiment++) {
      const [one, other] = [emptySums(), emptySums()]
      let isFound = false
      for (let day = 0; day < 60; day++) {
        addDay(one, 1_000, 0.1, random)
        addDay(other, 1_000, 0.1, random)
        isFound ||= relativeLiftOf(one, other)!.isSignificant
      }
      if (isFound) found++
    }
    expect(found).toBeLessThanOrEqual(65)
    // An interval for one look would be crossed in far more of them, and one that is never crossed proves nothing.
    expect(found).toBeGreaterThan(2)
  })
})

describe('experiments without a difference in which little happens', () => {
  /** Returns the shares of clean experiments that are ever significant, and whose guardrail ever breaks. */
  function everOf(rate: number, runs: number): { significant: number; broken: number } {
    const random = seededRandom(`rare ${rate}`)
    const options = { tunedTo: 6_000 }
    const found = { significant: 0, broken: 0 }
    for (let run = 0; run < runs; run++) {
      const counts = [0, 0]
      const ever = { significant: false, broken: false }
      for (let day = 1; day <= 60; day++) {
        for (let person = 0; person < 50; person++)
          for (const arm of [0, 1]) if (random() < rate) counts[arm] = counts[arm]! + 1
        const [one, other] = counts.map(events => sums(day * 50, events))
        const lift = relativeLiftOf(one!, other!, options)
        ever.significant ||= lift?.isSignificant === true
        ever.broken ||= lift !== undefined && lift.high < 0
      }
      found.significant += ever.significant ? 1 : 0
      found.broken += ever.broken ? 1 : 0
    }
    return { significant: found.significant / runs, broken: found.broken / runs }
  }

  it.each([0.1, 0.03, 0.01, 0.003])('at a rate of %d are found significant, or worse, in 6.5 % or less', rate => {
    const { significant, broken } = everOf(rate, 400)
    expect(significant).toBeLessThanOrEqual(0.065)
    expect(broken).toBeLessThanOrEqual(0.065)
  })

  it('are not certain because an arm has none yet of what the control had once or twice', () => {
    for (const events of [1, 2, 5]) {
      const lift = relativeLiftOf(sums(100, 0), sums(100, events))!
      expect(lift).toMatchObject({ value: -1, isSignificant: false })
      expect(lift.high).toBeGreaterThan(0)
    }
    expect(relativeLiftOf(sums(1_000, 0), sums(1_000, 40))!.high).toBeLessThan(0)
  })
})

describe('power', () => {
  it('knows the normal distribution', () => {
    expect(normalAbove(0.025)).toBeCloseTo(1.959963985, 8)
    expect(normalAbove(0.2)).toBeCloseTo(0.8416212336, 8)
  })

  it('promises days after which an effect of 2 % is found in 80 % of 200 experiments, and it is, in 74 % or more', () => {
    const unitsPerDay = 50_000
    const { units, days } = powerOf({ baseRate: 0.1, effect: 0.02, unitsPerDay })
    expect(days).toBe(Math.ceil(units / unitsPerDay))
    const random = seededRandom('planted')
    let found = 0
    let early = 0
    for (let run = 0; run < 200; run++) {
      const [arm, control] = [emptySums(), emptySums()]
      for (let day = 0; day < days; day++) {
        addDay(arm, unitsPerDay / 2, 0.102, random)
        addDay(control, unitsPerDay / 2, 0.1, random)
        const lift = relativeLiftOf(arm, control, { tunedTo: units })!
        if (!lift.isSignificant) continue
        if (lift.value > 0) found++
        if (day < days - 1) early++
        break
      }
    }
    expect(found).toBeGreaterThanOrEqual(148)
    // A promise that is kept too well is too long: at 99 %, half the days would do.
    expect(found).toBeLessThanOrEqual(190)
    expect(early).toBeGreaterThan(100)
  })

  it('asks for more where arms are of different size, and of a smaller effect', () => {
    const units = (question: object) => powerOf({ baseRate: 0.1, effect: 0.02, unitsPerDay: 1_000, ...question }).units
    expect(units({ share: 0.1 })).toBeGreaterThan(2 * units({}))
    expect(units({ effect: 0.01 }) / units({})).toBeGreaterThan(3.9)
    expect(units({ power: 0.9 })).toBeGreaterThan(units({}))
  })

  it.each([
    { baseRate: 0 },
    { baseRate: 1 },
    { effect: 0 },
    { effect: 20 },
    { unitsPerDay: 0 },
    { power: 1 },
    { share: 0 },
  ])('refuses what has no answer: %o', wrong => {
    expect(() => powerOf({ baseRate: 0.1, effect: 0.02, unitsPerDay: 1_000, ...wrong })).toThrow(RangeError)
  })
})
