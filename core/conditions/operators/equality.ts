import { isObject } from '@slotstream/protocol'
import { fault, type Operator, type Place, placeWithin } from '../compilation.js'
import type { Test } from '../condition.js'
import { MAX_LITERAL_VALUES, MAX_TEXT } from '../limits.js'
import { showWanted } from '../words/show.js'
import { isScalar, type Scalar, scalarOperand } from './operands.js'

/**
 * Compiles a value that stands behind a path without an operator. Text and numbers are equal to what reads the same
 * (`8` and `"8"`), true and false to whatever is as truthy, null to what is missing.
 */
export const equalTo: Operator = (operand, place) => {
  if (!isScalar(operand)) return sameTest(operand, place)
  const scalar = scalarOperand(operand, place)
  return scalar && looseTest(scalar.value)
}

/** `$eq`: the same type and value. */
export const eq: Operator = (operand, place) => {
  if (!isScalar(operand)) return sameTest(operand, place)
  const scalar = scalarOperand(operand, place)
  return scalar && { matches: value => value === scalar.value, expected: showWanted(scalar.value) }
}

/** `$ne` */
export const ne: Operator = (operand, place) => {
  const same = eq(operand, place)
  return same && { matches: value => !same.matches(value), expected: `not ${same.expected}` }
}

function looseTest(scalar: Scalar): Test {
  const words = showWanted(scalar)
  if (scalar === null) return { matches: value => value === null, expected: words }
  if (typeof scalar === 'boolean') return { matches: value => value !== null && !!value === scalar, expected: words }
  if (typeof scalar === 'number')
    return {
      matches: value => value === scalar || (typeof value !== 'number' && isScalar(value) && Number(value) === scalar),
      expected: words,
    }
  return {
    matches: value =>
      value === scalar || ((typeof value === 'number' || typeof value === 'boolean') && String(value) === scalar),
    expected: words,
  }
}

/** Compiles an object or a list to be equal to, whatever the order of an object's keys. */
function sameTest(operand: unknown, place: Place): Test | undefined {
  const budget = { values: MAX_LITERAL_VALUES }
  if (!isLiteral(operand, place, budget)) return undefined
  return { matches: value => isSame(value, operand), expected: showWanted(operand) }
}

/** Returns whether a value can be compared for equality; notes the fault where it cannot. */
function isLiteral(operand: unknown, place: Place, budget: { values: number }): boolean {
  if (--budget.values < 0) {
    // One fault for the whole, not one for each value that is too many.
    if (budget.values === -1) fault(place, `more than ${MAX_LITERAL_VALUES} values to be equal to`)
    return false
  }
  if (isScalar(operand)) {
    if (typeof operand !== 'string' || operand.length <= MAX_TEXT) return true
    fault(place, `has ${operand.length} characters, ${MAX_TEXT} are allowed`)
    return false
  }
  let isFit = true
  for (const [key, child] of Object.entries(operand as object)) {
    const within = placeWithin(place, Array.isArray(operand) ? Number(key) : key)
    if (isObject(operand) && key.startsWith('$')) {
      fault(
        within,
        'operators are not read within a value to be equal to: write the path with dots, {"a.b": {"$gt": 1}}',
      )
      isFit = false
    } else if (!isLiteral(child, within, budget)) isFit = false
    if (budget.values < 0) return false
  }
  return isFit
}

function isSame(value: unknown, operand: unknown): boolean {
  if (isScalar(operand)) return value === operand
  if (Array.isArray(operand))
    return (
      Array.isArray(value) && value.length === operand.length && operand.every((entry, i) => isSame(value[i], entry))
    )
  if (!isObject(value)) return false
  const keys = Object.keys(operand as object)
  return (
    Object.keys(value).length === keys.length &&
    keys.every(key => Object.hasOwn(value, key) && isSame(value[key], (operand as Record<string, unknown>)[key]))
  )
}
