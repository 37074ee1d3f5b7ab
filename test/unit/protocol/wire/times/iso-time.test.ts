import { isoTime } from '@slotstream/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'

it('gives what the built-in gives, whatever was asked before', () => {
  const time = fc.oneof(
    fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
    fc.integer({ min: 1_790_000_000_000, max: 1_790_000_120_000 }),
  )
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 50 }), times => {
      for (const each of times) expect(isoTime(each)).toBe(new Date(each).toISOString())
    }),
  )
})

it('refuses what is no time', () => {
  expect(() => isoTime(Number.NaN)).toThrow(RangeError)
})
