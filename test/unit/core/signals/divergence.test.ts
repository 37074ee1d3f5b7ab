import { describe, expect, it } from 'vitest'
import { divergenceOf } from '#core/signals/divergence.js'

describe('the divergence of a share', () => {
  it.each([
    // Hits, of trials, expected share, and by hand: hits * ln(observed / expected) + misses * ln(…).
    [3, 3, 0.1, 3 * Math.log(10)],
    [4, 5, 0.1, 4 * Math.log(8) + Math.log(0.2 / 0.9)],
    [3, 5, 0.05, 3 * Math.log(12) + 2 * Math.log(0.4 / 0.95)],
    [1.5, 3, 0.25, 1.5 * Math.log(2) + 1.5 * Math.log(0.5 / 0.75)],
    [1, 4, 0.25, 0],
    [0, 4, 0.25, 0],
  ])('of %d in %d where %d is expected', (hits, trials, expected, divergence) => {
    expect(divergenceOf(hits, trials, expected)).toBeCloseTo(divergence, 12)
  })
})
