import type { Operator } from '../compilation.js'
import { cut } from '../words/show.js'

/** `$not` below a path: not all of these operators pass, or the value is not equal. */
export const not: Operator = (operand, place) => {
  const tests = place.compilation.compileTests(operand, place)
  const words = tests.map(test => test.expected).join(' and ')
  return {
    matches: value => !tests.every(test => test.matches(value)),
    expected: cut(tests.length > 1 ? `not (${words})` : `not ${words}`),
  }
}
