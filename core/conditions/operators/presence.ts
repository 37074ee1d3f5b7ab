import { nearest } from '@slotstream/protocol'
import { fault, type Operator } from '../compilation.js'
import { show } from '../words/show.js'

const TYPES = ['string', 'number', 'boolean', 'array', 'object', 'null']

/** `$exists`: there is a value (true) or none (false). null is none. */
export const exists: Operator = (operand, place) => {
  if (typeof operand !== 'boolean') return fault(place, 'must be true or false')
  return { matches: value => (value !== null) === operand, expected: operand ? 'any value' : 'no value' }
}

/** `$type` */
export const type: Operator = (operand, place) => {
  if (typeof operand !== 'string' || !TYPES.includes(operand)) {
    const meant = typeof operand === 'string' ? nearest(operand, TYPES) : undefined
    return fault(
      place,
      `must be one of ${TYPES.join(', ')}, not ${show(operand)}${meant ? `: did you mean ${meant}?` : ''}`,
    )
  }
  return { matches: value => typeName(value) === operand, expected: `the type ${operand}` }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
