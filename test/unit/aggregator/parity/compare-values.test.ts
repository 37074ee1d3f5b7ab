import { describe, expect, it } from 'vitest'
import { compareValues } from '#aggregator/parity/compare-values.js'

describe('a value of a profile, compared with what the rows give', () => {
  it.each([
    ['equal numbers', 3, 3, 'match', 0],
    ['another number', 3, 5.5, 'different', 2.5],
    ['equal texts', 'a', 'a', 'match', 0],
    ['another text', 'a', 'b', 'different', 1],
    ['true for false', false, true, 'extra', 1],
    ['nothing for a text', 'a', null, 'missing', 1],
    ['a text for nothing', null, 'a', 'extra', 1],
    ['nothing for a number', 4, null, 'missing', 4],
    ['0 for nothing, which is not the same', null, 0, 'missing', 1],
    ['a count of 0', 2, 0, 'missing', 2],
    ['equal values by key, in another order', { a: 1, b: 2 }, { b: 2, a: 1 }, 'match', 0],
    ['values by key, added up', { a: 1, b: 2 }, { a: 3, c: 4 }, 'different', 8],
    ['a key too many', { a: 1 }, { a: 1, b: 2 }, 'different', 2],
    ['no keys', { a: 1, b: 2 }, {}, 'missing', 3],
    ['equal lists', ['a', 'b'], ['a', 'b'], 'match', 0],
    ['a list in another order', ['a', 'b'], ['b', 'a'], 'different', 2],
    ['a shorter list', ['a', 'b'], ['a'], 'different', 1],
    ['a list for a number', 7, ['a'], 'different', 1],
    ['no profile where it holds nothing', 0, undefined, 'match', 0],
    ['no profile where it should hold something', { a: 2 }, undefined, 'missing', 2],
    ['a profile that should not be', undefined, ['a'], 'extra', 1],
    ['neither', undefined, undefined, 'match', 0],
  ] as const)('%s', (_what, expected, found, outcome, error) => {
    expect(compareValues(expected as never, found as never)).toEqual({ outcome, error })
  })
})
