import { describe, expect, it } from 'vitest'
import { BUILTIN_PATTERNS, withBuiltinPatterns } from '#core/patterns/builtin.js'
import { BUILTIN_CASES } from './builtin-cases.js'
import { arrivalOf, compiled, run, stored, written } from './found.js'

const patterns = compiled(BUILTIN_PATTERNS)

describe.each(BUILTIN_CASES)('$name', ({ name, cases }) => {
  it.each(cases)('$shows', ({ messages, found }) => {
    const arrivals = messages.map((text, index) => arrivalOf(text, `#${index + 1}`))
    const all = run(patterns, arrivals, undefined, stored).found
    expect(all.filter(({ pattern }) => pattern === name).map(written)).toEqual(found)
  })
})

it('all have cases', () => {
  expect(BUILTIN_CASES.map(({ name }) => name)).toEqual(BUILTIN_PATTERNS.map(({ name }) => name))
})

it('a site replaces one by its own of the same name, or switches it off', () => {
  const own = { name: 'returning_visitor', event: 'page', after: '7d' }
  const names = BUILTIN_PATTERNS.map(({ name }) => name)
  expect(withBuiltinPatterns([])).toEqual(BUILTIN_PATTERNS)
  const chosen = withBuiltinPatterns([own, { name: 'rage_clicks', off: true }])
  expect(chosen).toContain(own)
  expect(chosen.map(({ name }) => name).toSorted()).toEqual(names.filter(name => name !== 'rage_clicks').toSorted())
  expect(compiled(chosen).patterns).toHaveLength(names.length - 1)
})
