import { expect, it } from 'vitest'
import { density, densityAt } from '#core/algebra/normal.js'
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

it('the tabulated density is the density, to 1e-11', () => {
  for (let z = -9; z <= 9; z += 0.0137) expect(Math.abs(densityAt(z) - density(z)), `${z}`).toBeLessThan(2e-11)
})
