import { describe, expect, it } from 'vitest'
import { chanceOfBest } from '#core/algebra/chance-of-best.js'
import { normalBelow, normalFrom } from '#core/algebra/normal.js'
import { seededRandom } from '#core/decide/random.js'

describe('the normal distribution', () => {
  it('is that of the tables', () => {
    const table: [number, number][] = [
      [-8.5, 0],
      [-6, 9.865876450376981e-10],
      [-1.959963984540054, 0.025],
      [0, 0.5],
      [1, 0.8413447460685429],
      [2.5, 0.9937903346742238],
      [9, 1],
    ]
    for (const [z, below] of table) expect(Math.abs(normalBelow(z) - below)).toBeLessThan(1e-10)
  })
})

describe('the chance to be the best', () => {
  it('is the published one', () => {
    const chances = chanceOfBest([0.1, 0.11, 0.12], [0.01, 0.01, 0.01])
    const golden = [0.0471506799, 0.2240983048, 0.7287510153]
    for (const [index, chance] of golden.entries()) expect(Math.abs(chances[index]! - chance)).toBeLessThan(1e-9)
  })

  it.each([
    [2, 1],
    [5, 1.5],
    [20, 30],
    [40, 1000],
  ])('of %d numbers whose deviations differ up to %d times is that of samples', (count, ratio) => {
    const random = seededRandom(`${count}`)
    const means = Array.from({ length: count }, () => random())
    const deviations = Array.from({ length: count }, () => 0.3 * ratio ** -random())
    const chances = chanceOfBest(means, deviations)
    const samples = 40_000
    const won = new Array<number>(count).fill(0)
    for (let n = 0; n < samples; n++) {
      const values = means.map((mean, index) => mean + deviations[index]! * normalFrom(random))
      won[values.indexOf(Math.max(...values))]!++
    }
    expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12)
    for (const [index, chance] of chances.entries()) {
      const deviation = Math.sqrt((chance * (1 - chance)) / samples)
      expect(Math.abs(won[index]! / samples - chance)).toBeLessThan(5 * deviation + 0.005)
    }
  })

  it('is equal for equals, and all for one alone', () => {
    for (const chance of chanceOfBest([3, 3, 3, 3], [0.001, 0.001, 0.001, 0.001])) expect(chance).toBeCloseTo(0.25, 12)
    for (const chance of chanceOfBest([0, 1, 1], [10, 1e-6, 1e-6])) expect(chance).toBeGreaterThan(0.2)
    expect([...chanceOfBest([0.4], [0.2])]).toEqual([1])
  })
})
