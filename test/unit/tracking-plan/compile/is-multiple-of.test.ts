import { describe, expect, it } from 'vitest'
import { createSchemaCompiler } from '#tracking-plan/compile/compile-schema.js'
import { isMultipleOf } from '#tracking-plan/compile/is-multiple-of.js'

describe('isMultipleOf', () => {
  it.each([
    [19.99, 0.01],
    [0.07, 0.01],
    [1.1 + 2.2, 0.1],
    [1.15, 0.05],
    [-4.35, 0.01],
    [123_456_789.01, 0.01],
    [9_999_999_999.99, 0.01],
    [1e21, 1],
    [1e308, 0.5],
    [0, 0.01],
    [1e-7, 1e-8],
  ])('%d is a multiple of %d', (value, step) => {
    expect(isMultipleOf(value, step)).toBe(true)
  })

  it.each([
    [19.995, 0.01],
    [19.990_000_01, 0.01],
    [7, 2],
    [0.001, 0.01],
    [1_000_000.005, 0.01],
    [1e308, 0.123_456_789],
  ])('%d is no multiple of %d', (value, step) => {
    expect(isMultipleOf(value, step)).toBe(false)
  })

  it('holds for every price in cents up to 1,000, as schemas check them', () => {
    const validate = createSchemaCompiler()({
      type: 'object',
      properties: { price: { type: 'number', multipleOf: 0.01 } },
    })
    for (let cents = 0; cents <= 100_000; cents++)
      expect(validate({ price: Number((cents / 100).toFixed(2)) })).toBe(true)
    expect(validate({ price: 19.999 })).toBe(false)
    expect(validate.errors?.[0]).toMatchObject({ message: 'must be multiple of 0.01', params: { multipleOf: 0.01 } })
  })
})
