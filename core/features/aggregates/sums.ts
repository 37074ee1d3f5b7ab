import { addExact, amountOf, type ExactSum, unitsOf } from '../input/exact-sum.js'
import { numberOf } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** Messages, each by its weight. */
export const count: Aggregate<ExactSum> = {
  add(row, { weight }) {
    const units = unitsOf(weight)
    return units === undefined ? row : addExact(row ?? 0, units)
  },
  merge: addExact,
  value: row => (row === undefined ? 0 : amountOf(row)),
}

/** The sum of numbers, each by its weight. */
export const sum: Aggregate<ExactSum> = {
  add(row, { value, weight }) {
    const number = numberOf(value)
    const units = number === undefined ? undefined : unitsOf(number * weight)
    return units === undefined ? row : addExact(row ?? 0, units)
  },
  merge: addExact,
  value: row => (row === undefined ? 0 : amountOf(row)),
}

/** The mean of numbers: their sum, and how many they are. */
export const mean: Aggregate<[sum: ExactSum, numbers: number]> = {
  add(row, { value }) {
    const number = numberOf(value)
    const units = number === undefined ? undefined : unitsOf(number)
    if (units === undefined) return row
    return row ? [addExact(row[0], units), row[1] + 1] : [units, 1]
  },
  merge: (a, b) => [addExact(a[0], b[0]), a[1] + b[1]],
  value: row => (row === undefined ? null : amountOf(row[0]) / row[1]),
}

/** True once there is a message. */
export const exists: Aggregate<boolean> = {
  add: () => true,
  merge: () => true,
  value: row => row === true,
}

/** The share of hits: messages of an event with a weight, of all that may be one, whose event has the weight 0. */
export const rate: Aggregate<[hits: number, chances: number]> = {
  add: ([hits, chances] = [0, 0], { weight }) => (weight > 0 ? [hits + 1, chances] : [hits, chances + 1]),
  merge: (a, b) => [a[0] + b[0], a[1] + b[1]],
  value: row => (row && row[1] > 0 ? Math.min(1, row[0] / row[1]) : null),
}
