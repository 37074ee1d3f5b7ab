import { fault, type Operator, type Place } from '../compilation.js'
import type { Test } from '../condition.js'
import { show } from '../words/show.js'
import { isScalar, scalarOperand } from './operands.js'

// JavaScript's own comparison, as GrowthBook has it: two texts by their characters, anything else as numbers, what is
// missing as 0. Objects and lists are never less or more: their conversion to text may be a property that a visitor sent.
// Numbers and texts have functions of their own, because one for both takes the engine several times as long.

/** `$lt` */
export const lt: Operator = (wanted, place) =>
  compareTest(
    wanted,
    place,
    'less than',
    bound => value => (typeof value === 'number' ? value < bound : isScalar(value) && (value as number) < bound),
    bound => value => (typeof value === 'string' ? value < bound : isScalar(value) && (value as string) < bound),
  )

/** `$lte` */
export const lte: Operator = (wanted, place) =>
  compareTest(
    wanted,
    place,
    'at most',
    bound => value => (typeof value === 'number' ? value <= bound : isScalar(value) && (value as number) <= bound),
    bound => value => (typeof value === 'string' ? value <= bound : isScalar(value) && (value as string) <= bound),
  )

/** `$gt` */
export const gt: Operator = (wanted, place) =>
  compareTest(
    wanted,
    place,
    'more than',
    bound => value => (typeof value === 'number' ? value > bound : isScalar(value) && (value as number) > bound),
    bound => value => (typeof value === 'string' ? value > bound : isScalar(value) && (value as string) > bound),
  )

/** `$gte` */
export const gte: Operator = (wanted, place) =>
  compareTest(
    wanted,
    place,
    'at least',
    bound => value => (typeof value === 'number' ? value >= bound : isScalar(value) && (value as number) >= bound),
    bound => value => (typeof value === 'string' ? value >= bound : isScalar(value) && (value as string) >= bound),
  )

function compareTest(
  wanted: unknown,
  place: Place,
  words: string,
  withNumber: (bound: number) => (value: unknown) => boolean,
  withText: (bound: string) => (value: unknown) => boolean,
): Test | undefined {
  if (typeof wanted !== 'number' && typeof wanted !== 'string') return fault(place, 'must be a number or text')
  const operand = scalarOperand(wanted, place)
  if (operand === undefined) return undefined
  const { value } = operand
  return {
    matches: typeof value === 'number' ? withNumber(value) : withText(value as string),
    wanted: `${words} ${show(value)}`,
  }
}
