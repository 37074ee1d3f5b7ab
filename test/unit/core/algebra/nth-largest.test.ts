import { expect, it } from 'vitest'
import { allBelow, density, normalBelow } from '#core/algebra/normal.js'
import { nthLargest } from '#core/algebra/nth-largest.js'
import { seededRandom } from '#core/decide/random.js'

it('finds what sorting finds, also among equals, and changes nothing', () => {
  const random = seededRandom('nth')
  for (let round = 0; round < 300; round++) {
    const values = [3, 1_000][round % 2]!
    const numbers = Float64Array.from(
      { length: 1 + Math.floor(random() * 80) },
      () => Math.floor(random() * values) - 1,
    )
    const before = numbers.slice()
    const sorted = numbers.slice().sort().reverse()
    for (const [at, value] of sorted.entries()) expect(nthLargest(numbers, at + 1)).toBe(value)
    expect(numbers).toEqual(before)
  }
  expect(nthLargest(Float64Array.of(2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), 2)).toBe(2)
})

it('densities and probabilities by the table are those of the normal distribution', () => {
  const [below, densities] = [new Float64Array(2), new Float64Array(2)]
  for (let z = -7.9; z <= 9; z += 0.0137) {
    const all = allBelow(1 + 2 * z, Float64Array.of(1, -1e6), Float64Array.of(0.5, 1), below, densities)
    expect(Math.abs(densities[0]! - density(z)), `${z}`).toBeLessThan(2e-11)
    expect(Math.abs(below[0]! - normalBelow(z)), `${z}`).toBeLessThan(1e-14)
    expect([all, below[1], densities[1]]).toEqual([below[0], 1, 0])
  }
  expect(allBelow(-9, Float64Array.of(0), Float64Array.of(1), below, densities)).toBe(0)
})
