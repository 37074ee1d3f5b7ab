import { fault, type Operator, type Place } from '../compilation.js'
import { show } from '../words/show.js'
import { isScalar, scalarOperand } from './operands.js'

// JavaScript's own comparison, as GrowthBook has it: two texts by their characters, anything else as numbers, what is
// missing as 0. Objects and lists are never less or more: their conversion to text may be a property that a visitor sent.

/** `$lt` */
export const lt: Operator = (wanted, place) => {
  const bound = boundOf(wanted, place)
  return (
    bound && {
      matches: value => isScalar(value) && (value as number) < bound.value,
      wanted: `less than ${bound.words}`,
    }
  )
}

/** `$lte` */
export const lte: Operator = (wanted, place) => {
  const bound = boundOf(wanted, place)
  return (
    bound && { matches: value => isScalar(value) && (value as number) <= bound.value, wanted: `at most ${bound.words}` }
  )
}

/** `$gt` */
export const gt: Operator = (wanted, place) => {
  const bound = boundOf(wanted, place)
  return (
    bound && {
      matches: value => isScalar(value) && (value as number) > bound.value,
      wanted: `more than ${bound.words}`,
    }
  )
}

/** `$gte` */
export const gte: Operator = (wanted, place) => {
  const bound = boundOf(wanted, place)
  return (
    bound && {
      matches: value => isScalar(value) && (value as number) >= bound.value,
      wanted: `at least ${bound.words}`,
    }
  )
}

function boundOf(wanted: unknown, place: Place): { value: number; words: string } | undefined {
  if (typeof wanted !== 'number' && typeof wanted !== 'string') return fault(place, 'must be a number or text')
  const operand = scalarOperand(wanted, place)
  // A text is compared as one by the engine, whatever its static type.
  return operand && { value: operand.value as number, words: show(operand.value) }
}
