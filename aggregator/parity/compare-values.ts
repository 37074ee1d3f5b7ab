import { isObject, type Json } from '@slotstream/protocol'

/** Results of comparing a value that profiles have with the one that the rows of `events` give. */
export const OUTCOMES = ['match', 'different', 'missing', 'extra', 'uncertain'] as const

/**
 * `match`: equal. `missing`: the rows give a value, the profile has none. `extra`: the other way round. `different`:
 * both have one. `uncertain`: the feature was declared after the profile began and has counted nothing since, so what
 * it should hold is not known.
 */
export type Outcome = (typeof OUTCOMES)[number]

/** One feature of one person, compared. */
export interface Comparison {
  outcome: Outcome
  /**
   * Size of the error: how far numbers are apart, of values by key the sum over the keys. What is no number counts 1
   * where it differs. 0 for a match.
   */
  error: number
}

const MATCH: Comparison = { outcome: 'match', error: 0 }

/**
 * Compares the value that a profile has with the expected one. Nothing is rounded: what features hold is exact.
 *
 * @param expected,actual undefined where there is no profile, which is as good as one that holds nothing
 */
export function compareValues(expected: Json | undefined, actual: Json | undefined): Comparison {
  const [noProfile, other] = expected === undefined ? [true, actual] : [actual === undefined, expected]
  const error = noProfile && isNothing(other) ? 0 : errorOf(expected, actual)
  if (error === 0) return MATCH
  const outcome = isNothing(actual) ? 'missing' : isNothing(expected) ? 'extra' : 'different'
  return { outcome, error }
}

function errorOf(expected: unknown, actual: unknown): number {
  if (expected === actual) return 0
  if (typeof expected === 'number' && typeof actual === 'number') return Math.abs(expected - actual)
  if (!isCollection(expected) && !isCollection(actual)) {
    // A number where there is none on the other side is as far off as it is from 0, and never right.
    const [number = 1] = [expected, actual].filter(value => typeof value === 'number')
    return Math.abs(number) || 1
  }
  const [a, b] = [entriesOf(expected), entriesOf(actual)]
  let sum = 0
  for (const key of new Set([...a.keys(), ...b.keys()])) sum += errorOf(a.get(key), b.get(key))
  return sum
}

/** Returns whether a value is that of a feature that has seen no message. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === 0 || value === false || value === '') return true
  return isCollection(value) && [...entriesOf(value).values()].every(isNothing)
}

function isCollection(value: unknown): value is object {
  return Array.isArray(value) || isObject(value)
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(isCollection(value) ? Object.entries(value) : [])
}
