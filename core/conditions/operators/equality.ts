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
export const equalTo: Operator = (wanted, place) => {
  if (!isScalar(wanted)) return sameTest(wanted, place)
  const operand = scalarOperand(wanted, place)
  return operand && looseTest(operand.value)
}

/** `$eq`: the same type and value. */
export const eq: Operator = (wanted, place) => {
  if (!isScalar(wanted)) return sameTest(wanted, place)
  const operand = scalarOperand(wanted, place)
  return operand && { matches: value => value === operand.value, wanted: showWanted(operand.value) }
}

/** `$ne` */
export const ne: Operator = (wanted, place) => {
  const same = eq(wanted, place)
  return same && { matches: value => !same.matches(value), wanted: `not ${same.wanted}` }
}

function looseTest(wanted: Scalar): Test {
  const words = showWanted(wanted)
  if (wanted === null) return { matches: value => value === null, wanted: words }
  if (typeof wanted === 'boolean') return { matches: value => value !== null && !!value === wanted, wanted: words }
  if (typeof wanted === 'number')
    return {
      matches: value => value === wanted || (typeof value !== 'number' && isScalar(value) && Number(value) === wanted),
      wanted: words,
    }
  return {
    matches: value =>
      value === wanted || ((typeof value === 'number' || typeof value === 'boolean') && String(value) === wanted),
    wanted: words,
  }
}

/** Compiles an object or a list to be equal to, whatever the order of an object's keys. */
function sameTest(wanted: unknown, place: Place): Test | undefined {
  const budget = { values: MAX_LITERAL_VALUES }
  if (!isLiteral(wanted, place, budget)) return undefined
  return { matches: value => isSame(value, wanted), wanted: showWanted(wanted) }
}

/** Whether a value can be one to be equal to; notes the fault if it can't. */
function isLiteral(wanted: unknown, place: Place, budget: { values: number }): boolean {
  if (--budget.values < 0) {
    // One fault for the whole, not one for each value that is too many.
    if (budget.values === -1) fault(place, `more than ${MAX_LITERAL_VALUES} values to be equal to`)
    return false
  }
  if (isScalar(wanted)) {
    if (typeof wanted !== 'string' || wanted.length <= MAX_TEXT) return true
    fault(place, `has ${wanted.length} characters, ${MAX_TEXT} are allowed`)
    return false
  }
  let isFit = true
  for (const [key, child] of Object.entries(wanted as object)) {
    const within = placeWithin(place, Array.isArray(wanted) ? Number(key) : key)
    if (isObject(wanted) && key.startsWith('$')) {
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

function isSame(value: unknown, wanted: unknown): boolean {
  if (isScalar(wanted)) return value === wanted
  if (Array.isArray(wanted))
    return Array.isArray(value) && value.length === wanted.length && wanted.every((entry, i) => isSame(value[i], entry))
  if (!isObject(value)) return false
  const keys = Object.keys(wanted as object)
  return (
    Object.keys(value).length === keys.length &&
    keys.every(key => Object.hasOwn(value, key) && isSame(value[key], (wanted as Record<string, unknown>)[key]))
  )
}
