import { describe, expect, it } from 'vitest'
import { armOf, assignmentOf, experimentOfGroup } from '#core/experiments/assign.js'
import { type Counted, resultsOf } from '#core/experiments/results.js'

const FINE = { ok: true, e: 1 }
const arm = (id: string, units: number, rewards: number, guarded?: number) => ({
  id,
  decisions: units * 2,
  metrics: [{ units, sum: rewards, squares: rewards }],
  guardrails: guarded === undefined ? [] : [{ units, sum: guarded, squares: guarded }],
})

function results(arms: Counted['arms'], more: Partial<Counted> = {}, experiment: object = {}) {
  return resultsOf(
    { metrics: ['Slot Clicked'], ...experiment },
    { arms, sampleRatio: FINE, propensities: FINE, loss: { ok: true, difference: 0 }, ...more },
  )
}

describe('results', () => {
  it('say in plain words that it helps, by how much, and do not say to stop for that', () => {
    const { lift, verdict, stop, arms } = results([arm('control', 20_000, 2_000), arm('new', 20_000, 2_600)])
    expect(lift).toMatchObject({ arm: 'new' })
    expect(lift.value).toBeCloseTo(0.3, 10)
    expect(verdict).toMatch(/^It helps: "new" is better than the control by 30 %, between 1\d % and 4\d %\.$/)
    expect(stop).toBeNull()
    expect(arms[0]).toMatchObject({ id: 'control', decisions: 40_000, units: 20_000, rewards: 2_000, value: 0.1 })
  })

  it('say to stop for the better where that is asked for, and for the worse anyway', () => {
    const on = { stop: { on: ['better'] } }
    expect(results([arm('a', 20_000, 2_000), arm('b', 20_000, 2_600)], {}, on)).toMatchObject({ stop: 'better' })
    const worse = results([arm('a', 20_000, 2_600), arm('b', 20_000, 2_000)])
    expect(worse).toMatchObject({ stop: 'worse' })
    expect(worse.verdict).toMatch(/^It harms: "b" is worse .* Stop: keep the control\.$/)
  })

  it('do not say to stop what has ended', () => {
    const stopped = { at: '2026-06-01T00:00:00.000Z', reason: 'worse', verdict: '' }
    const worse = results([arm('a', 20_000, 2_600), arm('b', 20_000, 2_000)], {}, { stopped })
    expect(worse.stop).toBeNull()
    expect(worse.verdict).toMatch(/^It harms: "b" is worse/)
    expect(worse.verdict).not.toContain('Stop')
  })

  it('say that it is too early, or that nothing is certain', () => {
    expect(results([arm('a', 50, 5), arm('b', 50, 9)])).toMatchObject({
      verdict: 'Too early to say: 100 persons so far, 50 in the smallest arm: 100 are needed in each.',
      lift: { arm: null, value: null, low: null, high: null },
      arms: [{ value: null }, { value: null }],
    })
    expect(results([arm('a', 500, 0), arm('b', 500, 9)]).verdict).toBe(
      'Too early to say: 1,000 persons so far, and those of the control earned nothing that others could be compared with.',
    )
    expect(results([arm('a', 5_000, 500), arm('b', 5_000, 520)]).verdict).toMatch(/^No difference is certain yet/)
  })

  it.each([
    [{ sampleRatio: { ok: false, e: 1e9 } }, 'sampleRatio', /shares of persons/],
    [{ propensities: { ok: false, e: 1e9 } }, 'propensities', /chances that were recorded/],
    [{ loss: { ok: false, difference: 0.1 } }, 'loss', /fewer messages arrive/],
  ])('say of %o that the numbers cannot be trusted, whatever the lift', (fault, stop, why) => {
    const told = results([arm('a', 20_000, 2_000), arm('b', 20_000, 2_600)], fault)
    expect(told.stop).toBe(stop)
    expect(told.verdict).toMatch(/^Don't trust the numbers/)
    expect(told.verdict).toMatch(why)
  })

  it('say which guardrail is broken, either way, beyond its margin', () => {
    const arms = [arm('a', 20_000, 2_000, 2_000), arm('b', 20_000, 2_600, 1_400)]
    const guardrails = (more: object) => ({ guardrails: [{ event: 'Order Completed', ...more }] })
    expect(results(arms, {}, guardrails({}))).toMatchObject({ stop: 'guardrail', guardrails: [{ ok: false }] })
    expect(results(arms, {}, guardrails({})).verdict).toContain('But Order Completed got worse.')
    expect(results(arms, {}, guardrails({ margin: 0.5 }))).toMatchObject({ stop: null, guardrails: [{ ok: true }] })
    expect(results(arms, {}, guardrails({ worse: 'more' }))).toMatchObject({ stop: null, guardrails: [{ ok: true }] })
  })

  it('take what came in an arm only, and must not come more often, for broken', () => {
    const guardrails = [{ event: 'Error Shown', worse: 'more', margin: 0.5 }]
    const told = (errors: number) =>
      results([arm('a', 20_000, 2_000, 0), arm('b', 20_000, 2_000, errors)], {}, { guardrails })
    expect(told(500)).toMatchObject({ stop: 'guardrail', guardrails: [{ ok: false, lift: { value: null } }] })
    expect(told(2)).toMatchObject({ stop: null, guardrails: [{ ok: true }] })
  })

  it('of several arms name the one that is ahead, with wider intervals', () => {
    const two = results([arm('a', 20_000, 2_000), arm('b', 20_000, 2_600)])
    const three = results([arm('a', 20_000, 2_000), arm('c', 20_000, 1_900), arm('b', 20_000, 2_600)])
    expect(three.lift.arm).toBe('b')
    expect(three.lift.low!).toBeLessThan(two.lift.low!)
  })

  it('say when as many persons as expected have been in it', () => {
    const done = results([arm('a', 500, 50), arm('b', 500, 52)], {}, { stop: { units: 1_000 } })
    expect(done).toMatchObject({ stop: 'units' })
  })
})

const ARMS = [
  { id: 'a', share: 0.5 },
  { id: 'b', share: 0.3 },
  { id: 'c', share: 0.2 },
]
const people = Array.from({ length: 5_000 }, (_, index) => `person-${index}`)

describe('assignment', () => {
  it('gives each arm its share, the same person always the same one, and experiments each anew', () => {
    const counts = [0, 0, 0]
    let both = 0
    for (const person of people) {
      const index = armOf('shop', person, { id: 'one', arms: ARMS })
      counts[index]!++
      expect(armOf('shop', person, { id: 'one', arms: ARMS })).toBe(index)
      if (index === 0 && armOf('shop', person, { id: 'two', arms: ARMS }) === 0) both++
    }
    for (const [index, { share }] of ARMS.entries())
      expect(Math.abs(counts[index]! / people.length - share)).toBeLessThan(0.03)
    expect(Math.abs(both / people.length - 0.25)).toBeLessThan(0.03)
  })

  it('keeps persons in their arm when the experiment after it comes', () => {
    const before = people.map(person => experimentOfGroup('shop', person, 'g', [{ id: 'x' }, { id: 'y' }])!.id)
    const after = people.map(
      person => experimentOfGroup('shop', person, 'g', [{ id: 'x' }, { id: 'z' }, { id: 'y' }])!.id,
    )
    const moved = after.filter((id, index) => id !== before[index])
    expect(new Set(moved)).toEqual(new Set(['z']))
    expect(Math.abs(moved.length / people.length - 1 / 3)).toBeLessThan(0.03)
  })

  it('puts a person into one experiment of a group, whichever slot it is about', () => {
    const experiments = [
      { id: 'x', slot: 'hero', group: 'home', arms: ARMS },
      { id: 'y', slot: 'teaser', group: 'home', arms: ARMS },
      { id: 'z', slot: 'footer', arms: ARMS },
    ]
    let inHero = 0
    for (const person of people) {
      const hero = assignmentOf('shop', person, 'hero', experiments)
      const teaser = assignmentOf('shop', person, 'teaser', experiments)
      expect((hero === undefined) !== (teaser === undefined)).toBe(true)
      expect(assignmentOf('shop', person, 'footer', experiments)?.experiment).toBe('z')
      if (hero) inHero++
    }
    expect(Math.abs(inHero / people.length - 0.5)).toBeLessThan(0.03)
    expect(assignmentOf('shop', 'person-1', 'elsewhere', experiments)).toBeUndefined()
  })
})
