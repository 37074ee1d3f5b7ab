import { describe, expect, it } from 'vitest'
import { BUILTIN_PATTERNS } from '#core/patterns/builtin.js'
import { CASES, type PatternCases } from './cases.js'
import { arrivalOf, compiled, run, stored, written } from './found.js'

describe.each<PatternCases>(CASES)('$title', ({ pattern, cases }) => {
  const patterns = compiled([pattern])

  it.each(cases)('$shows', ({ messages, found }) => {
    const arrivals = messages.map((text, index) => arrivalOf(text, `#${index + 1}`))
    expect(run(patterns, arrivals, undefined, stored).found.map(written)).toEqual(found)
  })
})

it('built-in ones can be compiled', () => {
  expect(compiled(BUILTIN_PATTERNS).patterns).toHaveLength(BUILTIN_PATTERNS.length)
})
