import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { createValueSequence, pseudoOutcome } from '#core/experiments/sequences/doubly-robust.js'
import { logEvidence, sequenceBound, sequencePValue } from '#core/experiments/sequences/sequence.js'

describe('a confidence sequence', () => {
  // Computed by an independent script from the formula of arXiv 2103.06476.
  it.each([
    [5_000, 1_000, 3.363888],
    [5_000, 5_000, 3.035209],
    [5_000, 10_000, 3.061477],
    [5_000, 100_000, 3.336858],
    [5_000, 1_000_000, 3.656536],
    [10_000, 1_000, 3.855055],
    [10_000, 10_000, 3.035209],
    [10_000, 1_000_000, 3.561641],
  ])('that is tuned to %i units is as wide as published at %i: %d', (tunedTo, units, bound) => {
    expect(sequenceBound(units, { tunedTo })).toBeCloseTo(bound, 6)
  })

  it('is tuned to 10,000 units and 5 % unless it is said otherwise', () => {
    expect(sequenceBound(1_000)).toBe(sequenceBound(1_000, { alpha: 0.05, tunedTo: 10_000 }))
  })

  it('has a p-value of 5 % where its interval just reaches zero', () => {
    for (const units of [100, 10_000, 3_000_000])
      expect(sequencePValue(sequenceBound(units), units)).toBeCloseTo(0.05, 10)
    expect(sequencePValue(0, 10_000)).toBe(1)
    expect(logEvidence(sequenceBound(500), 500)).toBeCloseTo(Math.log(20), 10)
  })
})

/** A log that learns: what has earned more gets 80 % of the draws from then on. Values under its target: 0.35. */
function playLog(seed: string, isWithModel: boolean) {
  const random = seededRandom(seed)
  const rates = [0.2, 0.4]
  const target = [0.25, 0.75]
  const sums = [1, 1]
  const views = [2, 2]
  const sequence = createValueSequence()
  let isCovered = true
  for (let i = 0; i < 1_500; i++) {
    const best = sums[1]! / views[1]! > sums[0]! / views[0]! ? 1 : 0
    const logged = best === 1 ? [0.2, 0.8] : [0.8, 0.2]
    const drawn = random() < logged[0]! ? 0 : 1
    const reward = random() < rates[drawn]! ? 1 : 0
    const expected = isWithModel ? sums.map((sum, index) => sum / views[index]!) : undefined
    sequence.note({ reward, drawn, logged, target, expected })
    sums[drawn]! += reward
    views[drawn]! += 1
    const { low, high } = sequence.now()
    isCovered &&= low <= 0.35 && 0.35 <= high
  }
  return { isCovered, ...sequence.now() }
}

describe('the value of a policy on a log that learns', () => {
  it.each([true, false])('is within its interval at all times in 95 % of 300 logs (with a model: %s)', isWithModel => {
    const logs = Array.from({ length: 300 }, (_, index) => playLog(`log-${index}`, isWithModel))
    expect(logs.filter(({ isCovered }) => isCovered).length).toBeGreaterThanOrEqual(285)
    const mean = logs.reduce((sum, { value }) => sum + value, 0) / logs.length
    expect(Math.abs(mean - 0.35)).toBeLessThan(0.01)
    for (const { low, high } of logs) expect(high - low).toBeLessThan(0.3)
  })

  it('has pseudo-outcomes that are right on average, whatever is expected', () => {
    const logged = [0.05, 0.35, 0.6]
    const target = [0.7, 0.2, 0.1]
    const rewards = [0.9, 0.1, 0.4]
    for (const expected of [undefined, [0.9, 0.1, 0.4], [1, 1, 1], [0, 0.7, 0.2]]) {
      const mean = logged.reduce(
        (sum, chance, drawn) =>
          sum + chance * pseudoOutcome({ reward: rewards[drawn]!, drawn, logged, target, expected }),
        0,
      )
      expect(mean).toBeCloseTo(0.7 * 0.9 + 0.2 * 0.1 + 0.1 * 0.4, 12)
    }
  })

  it('is not told where the policy would show what could not be drawn', () => {
    const sequence = createValueSequence()
    expect(() => sequence.note({ reward: 1, drawn: 0, logged: [1, 0], target: [0.5, 0.5] })).toThrow(/candidate 1/)
  })
})
