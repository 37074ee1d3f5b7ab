import { hash32 } from '@slotstream/protocol'
import { keyOfScalar } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** Registers of the sketch, as a power of two: of 1024 its standard error is 1.04 / √1024, that is 3.3 %. */
export const REGISTER_BITS = 10

/** Registers for each of the hashes that are kept one by one before there is a sketch. */
const REGISTERS_PER_HASH = 8

/** Hashes that are kept one by one; up to so many different values the number is exact but for equal hashes. */
export const MAX_EXACT = 2 ** REGISTER_BITS / REGISTERS_PER_HASH

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

/** Returns hashes as they are, or as a sketch of 2 ** `bits` registers where there are too many for one. */
export function compacted(hashes: number[], bits = REGISTER_BITS): Distinct {
  const registers = 2 ** bits
  return hashes.length <= registers / REGISTERS_PER_HASH ? hashes : raised('0'.repeat(registers), hashes)
}

/** Returns a sketch with 2 ** `bits` registers, as if it had been begun with so many; itself where it has no more. */
export function folded(registers: string, bits: number): string {
  if (registers.length <= 2 ** bits) return registers
  let half = ''
  for (let index = 0; index < registers.length; index += 2) {
    // The last bit of the index becomes the first one of what is ranked.
    const even = Number.parseInt(registers[index]!, 36)
    const odd = registers[index + 1] === '0' ? 0 : 1
    half += Math.max(even && even + 1, odd).toString(36)
  }
  return folded(half, bits)
}

/** Returns the registers, each as high as the hashes make it. */
function raised(registers: string, hashes: number[]): string {
  const bits = Math.log2(registers.length)
  let changed: string[] | undefined
  for (const hash of hashes) {
    const index = hash >>> (32 - bits)
    const rank = Math.clz32((hash << bits) | (1 << (bits - 1))) + 1
    const digit = rank.toString(36)
    if (digit <= (changed ?? registers)[index]!) continue
    changed ??= registers.split('')
    changed[index] = digit
  }
  return changed ? changed.join('') : registers
}

function greatest(a: string, b: string): string {
  let merged = ''
  for (let index = 0; index < a.length; index++) {
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
  const { length } = registers
  const raw = ((0.7213 / (1 + 1.079 / length)) * length * length) / inverse
  const number = raw <= 2.5 * length && empty > 0 ? length * Math.log(length / empty) : raw
  return Math.round(number)
}
