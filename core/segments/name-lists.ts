import { type Check, isObject } from '@slotstream/protocol'
import { isOperatorObject } from '../conditions/operators/operator-object.js'
import { OPERATORS } from '../conditions/operators/table.js'

/** Operators over `segments` and `signals` from which it can be told which names they ask for. */
const LIST_OPERATORS = ['$in', '$nin', '$all']
const ALLOWED = [...LIST_OPERATORS, '$elemMatch', '$not']

/**
 * Returns the names that a condition asks for of a list of names, such as `rich` of `{"$in": ["rich"]}`. Only operators
 * that name them are allowed, so that the order of segments can be told from them; what is no operator at all is left
 * to the compiler of conditions.
 */
export function namesIn(condition: unknown, path: string): Check<string[]> {
  const example = JSON.stringify({
    [path]: { $in: [typeof condition === 'string' ? condition.slice(0, 100) : 'name'] },
  })
  if (!isOperatorObject(condition)) return { ok: false, reason: `is a list of names: write ${example}` }
  const names: string[] = []
  for (const [operator, operand] of Object.entries(condition)) {
    const operandNames = namesOf(operator, operand, path)
    if (!operandNames.ok) return operandNames
    names.push(...operandNames.value)
  }
  return { ok: true, value: names }
}

function namesOf(operator: string, operand: unknown, path: string): Check<string[]> {
  if (!Object.hasOwn(OPERATORS, operator)) return { ok: true, value: [] }
  if (!ALLOWED.includes(operator)) return { ok: false, reason: `takes ${ALLOWED.join(', ')}, not ${operator}` }
  if (operator === '$not') return namesIn(operand, path)
  if (operator === '$elemMatch') return namesOfElement(operand)
  if (!Array.isArray(operand)) return { ok: true, value: [] }
  if (!operand.every(name => typeof name === 'string')) return { ok: false, reason: `${operator} takes names` }
  return { ok: true, value: operand }
}

/** Returns the names in an `$elemMatch`: of an element only those that it equals. */
function namesOfElement(operand: unknown): Check<string[]> {
  const { $eq, $in, ...others } = isObject(operand) ? operand : {}
  const names = [...($eq === undefined ? [] : [$eq]), ...(Array.isArray($in) ? $in : [])]
  if (Object.keys(others).length === 0 && names.length > 0 && names.every(name => typeof name === 'string'))
    return { ok: true, value: names }
  return { ok: false, reason: '$elemMatch takes {"$eq": "name"} or {"$in": ["name"]}' }
}
