import { hash32 } from '@slotstream/protocol'
import { keyOfScalar } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** Hashes that are kept one by one; up to so many different values the number is exact but for equal hashes. */
export const MAX_EXACT = 128

/** Registers of the sketch beyond that: its standard error is 1.04 / √1024, that is 3.3 %. */
const REGISTERS = 1024
const INDEX_BITS = 10

/** Hashes in ascending order, or the registers as text, one character each. */
type Distinct = number[] | string

/**
 * The number of different values: a list of hashes, then HyperLogLog (Flajolet and others 2007, with linear counting
 * for small numbers). Which of the two it is follows from how many hashes there are, so that the order does not matter.
 */
export const distinct: Aggregate<Distinct> = {
  add(row, { value }) {
    const hash = hash32(keyOfScalar(value))
    if (typeof row === 'string') return raised(row, [hash])
    if (!row) return [hash]
    return row.includes(hash) ? row : compacted(withHash(row, hash))
  },
  merge(a, b) {
    if (typeof a !== 'string' && typeof b !== 'string')
      return compacted([...new Set([...a, ...b])].sort((x, y) => x - y))
    if (typeof a !== 'string') return raised(b as string, a)
    return typeof b === 'string' ? greatest(a, b) : raised(a, b)
  },
  value(row) {
    if (row === undefined) return 0
    return typeof row === 'string' ? estimate(row) : row.length
  },
}

function withHash(row: number[], hash: number): number[] {
  const place = row.findIndex(other => other > hash)
  return place < 0 ? [...row, hash] : [...row.slice(0, place), hash, ...row.slice(place)]
}

function compacted(hashes: number[]): Distinct {
  return hashes.length <= MAX_EXACT ? hashes : raised('0'.repeat(REGISTERS), hashes)
}

/** Returns the registers, each as high as the hashes make it. */
function raised(registers: string, hashes: number[]): string {
  let changed: string[] | undefined
  for (const hash of hashes) {
    const index = hash >>> (32 - INDEX_BITS)
    const rank = Math.clz32((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) + 1
    const digit = rank.toString(36)
    if (digit <= (changed ?? registers)[index]!) continue
    changed ??= registers.split('')
    changed[index] = digit
  }
  return changed ? changed.join('') : registers
}

function greatest(a: string, b: string): string {
  let merged = ''
  for (let index = 0; index < REGISTERS; index++) {
    const isHigher = a[index]! > b[index]!
    merged += (isHigher ? a : b)[index]
  }
  return merged
}

function estimate(registers: string): number {
  let inverse = 0
  let empty = 0
  for (const digit of registers) {
    const rank = Number.parseInt(digit, 36)
    inverse += 2 ** -rank
    if (rank === 0) empty++
  }
  const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS * REGISTERS) / inverse
  const number = raw <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : raw
  return Math.round(number)
}
