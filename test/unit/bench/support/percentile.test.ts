import { describe, expect, it } from 'vitest'
import { percentile } from '#bench/support/percentile.js'

describe('percentile', () => {
  it('is a measured value that the share does not exceed, whatever the order', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
    expect(percentile(hundred, 0)).toBe(1)
    expect(percentile([7], 0.99)).toBe(7)
    expect(hundred[0]).toBe(100)
  })

  it('is no number when there are no values', () => {
    expect(percentile([], 0.5)).toBeNaN()
  })
})
