import { describe, expect, it } from 'vitest'
import { markdownTable, milliseconds, whole } from '#bench/support/table.js'

describe('markdownTable', () => {
  it('aligns the first column left and the numbers right', () => {
    expect(markdownTable(['', 'p50 ms'], [['collector', '1.50']])).toBe(
      ['|           | p50 ms |', '|-----------|-------:|', '| collector |   1.50 |'].join('\n'),
    )
  })
})

describe('numbers', () => {
  it('have the digits that mean something', () => {
    expect(whole(12_345.6)).toBe('12,346')
    expect([0.421, 8.126, 12.34, 1_204.4, Number.NaN].map(milliseconds)).toEqual([
      '0.42',
      '8.13',
      '12.3',
      '1,204',
      'none',
    ])
  })
})
