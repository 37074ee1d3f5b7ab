import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { relativeLiftOf } from '#core/experiments/lift.js'
import { planOf } from '#core/experiments/plan.js'
import { powerOf } from '#core/experiments/power.js'
import { addDay, emptySums } from './some-experiments.js'

/** Of 700,000 persons in 14 days, a tenth earned something. */
const MEASURED = { units: 700_000, sum: 70_000, squares: 70_000 }
const plan = (more: object = {}) => planOf({ effect: 0.02, isAmount: false, measured: MEASURED, days: 14, ...more })

describe('the plan of an experiment', () => {
  it('is what the power of a test says, for the traffic and the rate that were measured', () => {
    const { units, days } = powerOf({ baseRate: 0.1, effect: 0.02, unitsPerDay: 50_000 })
    expect(plan()).toMatchObject({ days, persons: units, baseRate: 0.1, personsPerDay: 50_000, power: 0.8 })
    expect(plan().verdict).toBe(
      `To find a difference of 2 % in 80 of 100 cases takes about ${days} days: ${units.toLocaleString('en-US')} persons.`,
    )
    expect(plan().assumptions.join(' ')).toContain('the last 14 days')
    expect(plan({ baseRate: 0.2 }).persons).toBeLessThan(units)
    expect(plan({ personsPerDay: 100_000 }).days).toBe(Math.ceil(units / 100_000))
    // What is given is not measured, and is enough for whether an event came.
    const given = { baseRate: 0.1, personsPerDay: 50_000, measured: { units: 0, sum: 0, squares: 0 } }
    expect(plan(given)).toMatchObject({ days, persons: units })
    expect(plan(given).assumptions.join(' ')).not.toMatch(/measured|last 14 days/)
    expect(plan({ ...given, isAmount: true }).days).toBeNull()
  })

  it('takes longer for arms of different sizes, and for each further arm', () => {
    const persons = (shares: number[]) => plan({ shares }).persons!
    expect(persons([0.9, 0.1])).toBeGreaterThan(2 * persons([0.5, 0.5]))
    // Of three, two thirds are compared at a time, at half the share of mistakes.
    expect(persons([0.4, 0.3, 0.3])).toBeGreaterThan(1.6 * persons([0.5, 0.5]))
  })

  it('says of a single day that it is one, and that rates which are given must be above 0', () => {
    expect(plan({ days: 1 }).assumptions[0]).toBe('As many new persons come each day as in the last day.')
    for (const name of ['baseRate', 'personsPerDay'])
      for (const given of [0, -1]) expect(() => plan({ [name]: given })).toThrow(`${name} must be above 0`)
  })

  it('of amounts goes by their spread', () => {
    // A tenth spends 50, so that the relative spread is that of a share of a tenth.
    const amounts = { units: 700_000, sum: 3_500_000, squares: 175_000_000 }
    const { persons, baseRate } = plan({ isAmount: true, measured: amounts })
    expect(baseRate).toBe(5)
    expect(persons! / plan().persons!).toBeCloseTo(1, 1)
    const wider = { ...amounts, squares: 4 * amounts.squares }
    expect(plan({ isAmount: true, measured: wider }).persons).toBeGreaterThan(3.9 * persons!)
  })

  it.each([
    [{ units: 0, sum: 0, squares: 0 }, /no person was shown anything/],
    [{ units: 500, sum: 0, squares: 0 }, /no person earned anything/],
  ])('is not told where nothing was measured: %o', (measured, why) => {
    for (const isAmount of [false, true])
      expect(plan({ measured, isAmount })).toMatchObject({
        days: null,
        persons: null,
        verdict: expect.stringMatching(why),
      })
  })

  it('is kept: the effect is found in the days that it says in 74 % or more of 200 experiments', () => {
    const { days, persons, personsPerDay } = plan()
    const random = seededRandom('planned')
    let found = 0
    for (let run = 0; run < 200; run++) {
      const [arm, control] = [emptySums(), emptySums()]
      for (let day = 0; day < days!; day++) {
        addDay(arm, personsPerDay / 2, 0.102, random)
        addDay(control, personsPerDay / 2, 0.1, random)
        const lift = relativeLiftOf(arm, control, { tunedTo: persons! })!
        if (!lift.isSignificant) continue
        if (lift.value > 0) found++
        break
      }
    }
    expect(found).toBeGreaterThanOrEqual(148)
  })
})
