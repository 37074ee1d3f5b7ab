import { isObject, isoTime, parseTime } from '@slotstream/protocol'
import { isOperatorObject } from '../../../conditions/operators/operator-object.js'

/** A value of each type of `$type`. */
const OF_TYPE = new Map<unknown, unknown>([
  ['string', 'x'],
  ['number', 1],
  ['boolean', true],
  ['array', []],
  ['object', {}],
  ['null', undefined],
])

/** A pattern of literal characters only, optionally anchored: it matches its own text. */
const PLAIN_PATTERN = /^\^?((?:[\w \-/:;,=@#%&!~"'<>]|\\[.+*?()[\]{}|^$/\\-])+)\$?$/

/**
 * Returns values at and just beyond the bounds of a path's test in a condition: those that it names, the next ones, one
 * of another type, and none (undefined).
 *
 * @param expected operand behind the path: a value, or an object of operators
 */
export function boundaryValues(expected: unknown): unknown[] {
  const near = isOperatorObject(expected)
    ? Object.entries(expected).flatMap(([name, to]) => nearOperand(name, to))
    : nearValue(expected)
  const other = near.some(value => typeof value === 'number') ? 'x' : 7
  return [...near, undefined, other]
}

function nearOperand(name: string, operand: unknown): unknown[] {
  switch (name) {
    case '$in':
    case '$nin':
    case '$ini':
    case '$nini':
      return listOf(operand).flatMap(value => [...nearValue(value), [value]])
    case '$all':
    case '$alli': {
      const values = listOf(operand).map(value => (isOperatorObject(value) ? boundaryValues(value)[0] : value))
      return [values, values.slice(1), []]
    }
    case '$regex':
    case '$regexi': {
      const [, plain] = PLAIN_PATTERN.exec(String(operand)) ?? []
      const text = plain?.replace(/\\(.)/g, '$1')
      return text === undefined ? ['x'] : [text, text.toUpperCase(), `x${text}`]
    }
    case '$exists':
      return ['x', undefined]
    case '$type':
      return [OF_TYPE.get(operand), 'x', 1]
    case '$size': {
      const sizes = boundaryValues(operand).filter(size => Number.isInteger(size) && (size as number) >= 0)
      return (sizes as number[]).filter(size => size <= 50).map(size => Array(size).fill('x'))
    }
    case '$elemMatch':
      return elementsOf(operand).map(element => [element])
    case '$not':
      return boundaryValues(operand)
    case '$inGroup':
    case '$notInGroup':
      return []
    default:
      return name.startsWith('$v') ? [operand, '0.0.0', '999.0.0'] : nearValue(operand)
  }
}

/** Fields of elements that are varied, values of each, and elements in all, at most. */
const MOST_FIELDS = 4
const MOST_NEAR = 3
const MOST_ELEMENTS = 64

/** Returns elements of lists that may match `$elemMatch`: values, or objects with boundary values in each field. */
function elementsOf(operand: unknown): unknown[] {
  if (isOperatorObject(operand) || !isObject(operand)) return boundaryValues(operand)
  const fields = Object.entries(operand).filter(([path]) => !path.startsWith('$') && !path.includes('.'))
  let elements: object[] = [{}]
  for (const [path, expected] of fields.slice(0, MOST_FIELDS)) {
    const near = boundaryValues(expected).slice(0, MOST_NEAR)
    elements = near.flatMap(value => elements.map(element => ({ ...element, [path]: value }))).slice(0, MOST_ELEMENTS)
  }
  return elements
}

function nearValue(value: unknown): unknown[] {
  if (typeof value === 'number') return [value, value + 1, value - 1]
  if (typeof value === 'boolean') return [value, !value]
  if (value === null) return ['x']
  if (typeof value !== 'string') return [value]
  const time = /^\d{4}-/.test(value) ? parseTime(value) : undefined
  if (time !== undefined) return [value, isoTime(time + 1), isoTime(time - 1)]
  return [value, `${value}x`, caseChanged(value)]
}

function caseChanged(text: string): string {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}

function listOf(operand: unknown): unknown[] {
  return Array.isArray(operand) ? operand : []
}
