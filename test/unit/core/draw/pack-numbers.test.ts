import type { Excluded } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { codeOf } from '#core/catalog/reasons.js'
import { seededRandom } from '#core/decide/random.js'
import { packReasons, unpackReasons } from '#core/decide/record/pack-reasons.js'
import { sayOnce, withDetails } from '#core/decide/record/say-once.js'
import { packPlaces, unpackPlaces } from '#core/draw/pack-lottery.js'
import { packNumbers, packRuns, packSigned, unpackNumbers, unpackRuns, unpackSigned } from '#core/draw/pack-numbers.js'

describe('packed numbers', () => {
  it('are read as they were, each in as few letters as it needs', () => {
    const numbers = [0, 1, 31, 32, 1_023, 1_024, 2 ** 30, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER]
    expect(unpackNumbers(packNumbers(numbers))).toEqual(numbers)
    expect(numbers.map(number => packNumbers([number]).length)).toEqual([1, 1, 1, 2, 2, 3, 7, 7, 9, 11])
    const signed = [0, -1, 1, -275_150, 2 ** 52 - 1, -(2 ** 52) + 1]
    expect(unpackSigned(packSigned(signed))).toEqual(signed)
    expect(unpackPlaces(packPlaces([5, 3, 900, 0]))).toEqual([5, 3, 900, 0])
    expect(unpackPlaces([5, 3])).toEqual([5, 3])
  })

  it('are read as they were, however many there are', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => (n % 3 === 0 ? n * 2 ** 20 : n % 40))
    expect(unpackNumbers(packNumbers(many))).toEqual(many)
  })

  it('are written in runs where that is shorter', () => {
    const same = new Array<number>(200).fill(0)
    expect(packRuns(same)).toHaveLength(4)
    for (const numbers of [same, [], [7], [1, 2, 3, 3], [...same, 5, 5]])
      expect(unpackRuns(packRuns(numbers), numbers.length)).toEqual(numbers)
    expect(() => unpackRuns(packRuns(same), 199)).toThrow(RangeError)
  })

  it.each(['=', 'ä', 'g', 'Ag', '__________f', 'ggggggggggggA'])('that are none are rejected: %s', text => {
    expect(() => unpackNumbers(text)).toThrow(RangeError)
  })
})

describe('reasons in bits', () => {
  it('are read as they were, whatever their number, and never longer than letters', () => {
    const random = seededRandom('reasons')
    for (const share of [0, 0.02, 0.2, 0.5, 1])
      for (let length = 0; length < 130; length++) {
        const reasons = Array.from({ length }, () =>
          random() < share ? undefined : random() < 0.9 ? ('condition' as const) : ('capped' as const),
        )
        expect(unpackReasons(packReasons(Uint8Array.from(reasons, codeOf)))).toEqual(reasons)
      }
    const many = Array.from({ length: 60_001 }, () => (random() < 0.5 ? undefined : ('condition' as const)))
    expect(unpackReasons(packReasons(Uint8Array.from(many, codeOf)))).toEqual(many)
    const fifth = Array.from({ length: 1_000 }, () => (random() < 0.2 ? undefined : ('condition' as const)))
    expect(packReasons(Uint8Array.from(fifth, codeOf)).length).toBeLessThan(180)
  })

  it('are bounded, and what is no row is empty', () => {
    expect(unpackReasons(`=${'_'.repeat(100_000)};`).length).toBeLessThanOrEqual(100_006)
    expect(unpackReasons(`=${'A'.repeat(10)};c999999999`).length).toBe(60)
    for (const text of ['=', '=;', '=__', '=!;c']) expect(unpackReasons(text)).toEqual([])
  })
})

it('details of excluded content are said once, and are there again', () => {
  const because = (contentId: string, reason: string, detail?: string): Excluded => ({
    contentId,
    reason,
    ...(detail !== undefined && { detail }),
  })
  const excluded = [
    because('a', 'condition', 'x is 1, wanted 2'),
    because('b', 'condition', 'x is 1, wanted 2'),
    because('c', 'condition', 'y is 1, wanted 2'),
    because('d', 'capped', 'y is 1, wanted 2'),
    because('e', 'ended'),
    because('f', 'ended'),
  ]
  const once = sayOnce(excluded)
  expect(once.map(({ detail }) => detail !== undefined)).toEqual([true, false, true, true, false, false])
  const draw = { version: 3 as const, contents: '', stages: [] }
  expect(withDetails({ excluded: once, draw })).toEqual(excluded)
  expect(withDetails({ excluded: once })).toEqual(once)
})
