import { nearest } from '@slotstream/protocol'
import { fault, type Operator } from '../compilation.js'
import { show } from '../words/show.js'

const TYPES = ['string', 'number', 'boolean', 'array', 'object', 'null']

/** `$exists`: there is a value (true) or none (false). null is none. */
export const exists: Operator = (wanted, place) => {
  if (typeof wanted !== 'boolean') return fault(place, 'must be true or false')
  return { matches: value => (value !== null) === wanted, wanted: wanted ? 'any value' : 'no value' }
}

/** `$type` */
export const type: Operator = (wanted, place) => {
  if (typeof wanted !== 'string' || !TYPES.includes(wanted)) {
    const meant = typeof wanted === 'string' ? nearest(wanted, TYPES) : undefined
    return fault(
      place,
      `must be one of ${TYPES.join(', ')}, not ${show(wanted)}${meant ? `: did you mean ${meant}?` : ''}`,
    )
  }
  return { matches: value => typeName(value) === wanted, wanted: `the type ${wanted}` }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
