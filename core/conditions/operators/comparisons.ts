import { fault, type Operator, type Place } from '../compilation.js'
import type { Test } from '../condition.js'
import { show } from '../words/show.js'
import { isBigInteger, isScalar, scalarOperand } from './operands.js'

// JavaScript's own comparison, as GrowthBook has it: two texts by their characters, anything else as numbers, what is
// missing as 0. Objects and lists are never less or more: their conversion to text may be a property that a visitor
// sent. Numbers and texts have functions of their own, because one for both takes the engine several times as long.
// Whole numbers beyond 2^53 are text, and compare by their value: as texts, the one with more digits would often be the
// smaller.

/** `$lt` */
export const lt: Operator = (operand, place) =>
  compareTest(operand, place, 'less than', {
    number: bound => value =>
      typeof value === 'number' ? value < bound : isScalar(value) && (value as number) < bound,
    text: bound => value => (typeof value === 'string' ? value < bound : isScalar(value) && (value as string) < bound),
    integer: bound => value => value < bound,
  })

/** `$lte` */
export const lte: Operator = (operand, place) =>
  compareTest(operand, place, 'at most', {
    number: bound => value =>
      typeof value === 'number' ? value <= bound : isScalar(value) && (value as number) <= bound,
    text: bound => value =>
      typeof value === 'string' ? value <= bound : isScalar(value) && (value as string) <= bound,
    integer: bound => value => value <= bound,
  })

/** `$gt` */
export const gt: Operator = (operand, place) =>
  compareTest(operand, place, 'more than', {
    number: bound => value =>
      typeof value === 'number' ? value > bound : isScalar(value) && (value as number) > bound,
    text: bound => value => (typeof value === 'string' ? value > bound : isScalar(value) && (value as string) > bound),
    integer: bound => value => value > bound,
  })

/** `$gte` */
export const gte: Operator = (operand, place) =>
  compareTest(operand, place, 'at least', {
    number: bound => value =>
      typeof value === 'number' ? value >= bound : isScalar(value) && (value as number) >= bound,
    text: bound => value =>
      typeof value === 'string' ? value >= bound : isScalar(value) && (value as string) >= bound,
    integer: bound => value => value >= bound,
  })

/** The tests of a bound: a number, a text, or digits of a whole number beyond 2^53. */
interface Comparison {
  number: (bound: number) => (value: unknown) => boolean
  text: (bound: string) => (value: unknown) => boolean
  integer: (bound: bigint) => (value: number | bigint) => boolean
}

function compareTest(
  operand: unknown,
  place: Place,
  words: string,
  { number, text, integer }: Comparison,
): Test | undefined {
  if (typeof operand !== 'number' && typeof operand !== 'string') return fault(place, 'must be a number or text')
  const scalar = scalarOperand(operand, place)
  if (scalar === undefined) return undefined
  const bound = scalar.value as number | string
  if (typeof bound === 'number') return { matches: number(bound), expected: `${words} ${show(bound)}` }
  const asText = text(bound)
  if (!isBigInteger(bound)) return { matches: asText, expected: `${words} ${show(bound)}` }
  const asInteger = integer(BigInt(bound))
  const matches = (value: unknown): boolean => {
    if (typeof value === 'number') return asInteger(value)
    return typeof value === 'string' && INTEGER.test(value) ? asInteger(BigInt(value)) : asText(value)
  }
  return { matches, expected: `${words} ${show(bound)}` }
}

/** A text that is a whole number. */
const INTEGER = /^-?\d{1,100}$/
