import { isObject } from '@slotstream/protocol'
import { cut } from '../conditions/words/show.js'
import type { BuiltInFeature } from '../features/built-in.js'

/** Aggregates whose values are numbers, or one for each key. */
const NUMBERS: ReadonlySet<BuiltInFeature['aggregate']> = new Set([
  ...(['count', 'sum', 'min', 'max', 'mean', 'distinct', 'sinceFirst', 'sinceLast', 'rate', 'span'] as const),
])

/** Returns whether the values of a feature are numbers, by key or not. */
export function isOfNumbers({ aggregate }: Pick<BuiltInFeature, 'aggregate'>): boolean {
  return NUMBERS.has(aggregate)
}

const BOUNDS = ['$gt', '$gte', '$lt', '$lte']

/**
 * Says which text no number can meet that is asked of a number; undefined where there is none. Text of digits is
 * compared as a number, but for `$eq` and `$in`, whose types must agree.
 */
export function numberTrouble(operand: unknown): string | undefined {
  const text = isObject(operand) ? Object.entries(operand).map(textNeverMet).find(isText) : textNoNumber(operand)
  if (text === undefined) return undefined
  const meant = text.trim() !== '' && textNoNumber(text) === undefined ? `: write ${Number(text)}` : ''
  return `is a number, which ${JSON.stringify(cut(text, 100))} never is${meant}`
}

function textNeverMet([operator, operand]: [string, unknown]): string | undefined {
  if (operator === '$eq') return isText(operand) ? operand : undefined
  if (operator === '$in') return Array.isArray(operand) && operand.every(isText) ? operand[0] : undefined
  return BOUNDS.includes(operator) ? textNoNumber(operand) : undefined
}

function textNoNumber(operand: unknown): string | undefined {
  return isText(operand) && Number.isNaN(Number(operand)) ? operand : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
