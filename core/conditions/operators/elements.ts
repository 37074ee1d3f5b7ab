import { isObject } from '@slotstream/protocol'
import { fault, type Operator } from '../compilation.js'
import { cut } from '../words/show.js'
import { someElement } from './lists.js'
import { isOperatorObject } from './operator-object.js'

/** `$elemMatch`: an element of a list passes these operators, or this condition over its fields. */
export const elemMatch: Operator = (operand, place) => {
  if (!isObject(operand))
    return fault(place, 'must be an object of operators, or a condition over the fields of an element')
  if (isOperatorObject(operand)) {
    const tests = place.compilation.compileTests(operand, place)
    const words = tests.map(test => test.expected).join(' and ')
    return {
      matches: value =>
        Array.isArray(value) && someElement(value, element => tests.every(test => test.matches(element))),
      expected: cut(`an element ${words}`),
    }
  }
  const clause = place.compilation.compileClause(operand, { ...place, isTime: false, isElement: true })
  return {
    matches: value => Array.isArray(value) && someElement(value, clause.matches),
    expected: cut(`an element with ${clause.words}`),
  }
}

/** `$size`: a list has so many elements; a number, or operators over it. */
export const size: Operator = (operand, place) => {
  if (typeof operand !== 'number' && !isOperatorObject(operand))
    return fault(place, 'must be a number, or operators over one')
  const tests = place.compilation.compileTests(operand, { ...place, isTime: false })
  return {
    matches: value => Array.isArray(value) && tests.every(test => test.matches(value.length)),
    expected: cut(`a list of ${tests.map(test => test.expected).join(' and ')} elements`),
  }
}
