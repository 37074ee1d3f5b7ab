import type { Clause, Test } from '../condition.js'
import { testable } from '../operators/operands.js'
import { cut, show } from '../words/show.js'

/** Returns the clauses over one path: it is read once for all of its tests. */
export function fieldClause(path: string, read: (attributes: unknown) => unknown, tests: readonly Test[]): Clause {
  const valueIn = (attributes: unknown) => testable(read(attributes))
  const shownPath = cut(path, 100)
  const words = `${shownPath} ${tests.map(test => test.expected).join(' and ')}`
  const describe = (value: unknown, expectation: string) => cut(`${shownPath} is ${show(value)}, wanted ${expectation}`)
  const [passes, ...others] = tests.map(test => test.matches)
  return {
    matches:
      passes !== undefined && others.length === 0
        ? attributes => passes(testable(read(attributes)))
        : attributes => passesAll(valueIn(attributes), tests),
    addMisses(attributes, misses) {
      const value = valueIn(attributes)
      for (const test of tests) if (!test.matches(value)) misses.push(describe(value, test.expected))
    },
    countMisses(attributes) {
      const value = valueIn(attributes)
      let count = 0
      for (const test of tests) if (!test.matches(value)) count++
      return count
    },
    unwanted(attributes) {
      const expectation = tests.map(test => test.expected).join(' and ')
      return describe(valueIn(attributes), tests.length > 1 ? `not (${expectation})` : `not ${expectation}`)
    },
    words: cut(words),
  }
}

function passesAll(value: unknown, tests: readonly Test[]): boolean {
  for (const test of tests) if (!test.matches(value)) return false
  return true
}
