import { numberOf, type Scalar } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** The least number. */
export const min: Aggregate<number> = extreme(Math.min)

/** The greatest number. */
export const max: Aggregate<number> = extreme(Math.max)

function extreme(choose: (a: number, b: number) => number): Aggregate<number> {
  return {
    add(row, { value }) {
      const number = numberOf(value)
      if (number === undefined) return row
      return row === undefined ? number : choose(row, number)
    },
    merge: choose,
    value: row => row ?? null,
  }
}

/** A value with the time and id of its message: ties of time go by the id. */
type Timed = [at: number, messageId: string, value: Scalar]

/** The value of the earliest message. */
export const first: Aggregate<Timed> = timed((a, b) => (isBefore(a, b) ? a : b))

/** The value of the latest message. */
export const last: Aggregate<Timed> = timed((a, b) => (isBefore(a, b) ? b : a))

function timed(choose: (a: Timed, b: Timed) => Timed): Aggregate<Timed> {
  return {
    add(row, { at, messageId, value }) {
      const newer: Timed = [at, messageId, value]
      return row ? choose(row, newer) : newer
    },
    merge: choose,
    value: row => row?.[2] ?? null,
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
}

/** Milliseconds since the earliest message. */
export const sinceFirst: Aggregate<number> = since(Math.min)

/** Milliseconds since the latest message. */
export const sinceLast: Aggregate<number> = since(Math.max)

function since(choose: (a: number, b: number) => number): Aggregate<number> {
  return {
    add: (row, { at }) => (row === undefined ? at : choose(row, at)),
    merge: choose,
    value: (row, at) => (row === undefined ? null : Math.max(0, at - row)),
  }
}

/** Milliseconds between the earliest and the latest message. */
export const span: Aggregate<[earliest: number, latest: number]> = {
  add: (row, { at }) => (row ? [Math.min(row[0], at), Math.max(row[1], at)] : [at, at]),
  merge: (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])],
  value: row => (row ? row[1] - row[0] : 0),
}
