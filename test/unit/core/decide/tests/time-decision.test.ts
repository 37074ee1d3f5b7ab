import type { Content, DecisionTest, Slot } from '@slotstream/protocol'
import { checkDecisionTests } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createCheckDecisionTest } from '#core/decide/tests/check-decision-test.js'
import { createTimeDecisions } from '#core/decide/tests/time-decision.js'

const NOW = Date.UTC(2026, 0, 10, 12)
const slot: Slot = { id: 'hero', count: 1, holdout: 0 }
const content: Content = { id: 'a', slots: ['hero'], category: 'a', payload: {} }
const catalog = { slots: [slot], content: [content] }
const test = (withinMs: number, more: object = {}): DecisionTest => ({
  given: {},
  slot: 'hero',
  expect: { withinMs, ...more },
})

/** A clock by which each decision takes what a list says, and the last of it from then on. */
function clockOf(...times: number[]) {
  let [now, asked] = [0, 0]
  const clock = () => {
    if (asked++ % 2 === 1) now += times[Math.min(times.length - 1, (asked >> 1) - 1)]!
    return now
  }
  return { clock, decisions: () => asked / 2 }
}

const timed = (clock: () => number, expected: DecisionTest) =>
  createTimeDecisions(catalog, 'shop', NOW, { clock })(expected)
const warmUps = (ms: number) => Array<number>(20).fill(ms)

describe('the time that a decision test allows', () => {
  it('is kept where most decisions take no longer, and then no more are made', async () => {
    const steady = clockOf(2)
    expect(await timed(steady.clock, test(2))).toEqual([])
    expect(steady.decisions()).toBe(20 + 11)
    // Ten of twenty-one were held up.
    const disturbed = clockOf(...warmUps(1), ...Array<number>(10).fill(500), 1)
    expect(await timed(disturbed.clock, test(2))).toEqual([])
    expect(disturbed.decisions()).toBe(20 + 21)
  })

  it('is broken where most take longer: the median says by how much', async () => {
    expect(await timed(clockOf(63.25).clock, test(50))).toEqual([
      'withinMs: it takes 63.3 ms (median of 11 decisions), 50 are allowed',
    ])
    expect(await timed(clockOf(...warmUps(1), 1, 1, 1, 60).clock, test(50))).toEqual([
      'withinMs: it takes 60 ms (median of 14 decisions), 50 are allowed',
    ])
  })

  it('does not count the first decisions, nor waits for many of them', async () => {
    expect(await timed(clockOf(...warmUps(9), 1).clock, test(2))).toEqual([])
    const slow = clockOf(150)
    expect(await timed(slow.clock, test(50))).toHaveLength(1)
    expect(slow.decisions()).toBe(2 + 11)
  })

  it('is measured where a test asks for it alone, with pauses between decisions', async () => {
    const { clock, decisions } = clockOf(1)
    expect(await timed(clock, { given: {}, slot: 'hero', expect: { never: ['x'] } })).toEqual([])
    expect(await timed(clock, { ...test(1), slot: 'none' })).toEqual([])
    expect(decisions()).toBe(0)
    let pauses = 0
    const pause = async () => void pauses++
    await createTimeDecisions(catalog, 'shop', NOW, { clock, pause })(test(1))
    expect(pauses).toBe(decisions())
  })

  it('is told beside what else a test expects', async () => {
    const check = createCheckDecisionTest(catalog, { siteId: 'shop', now: NOW, tests: 1, clock: clockOf(9).clock })
    expect(await check(test(5, { never: ['a'] }))).toEqual([
      'never a: it can be shown',
      'withinMs: it takes 9 ms (median of 11 decisions), 5 are allowed',
    ])
    expect(await check({ ...test(50), slot: 'heros' })).toEqual(['there is no slot "heros"'])
    expect(await check(test(50, { always: ['a'] }))).toEqual([])
  })

  it.each([0, -1, 10_001, '50', Number.NaN])('is rejected where it is %s', withinMs => {
    expect(checkDecisionTests([{ slot: 'hero', expect: { withinMs } }])).toMatchObject({
      ok: false,
      reason: 'tests[0].expect.withinMs must be a number from 0.01 to 10000',
    })
  })
})
