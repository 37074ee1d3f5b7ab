import { MAX_NAME_LENGTH } from '@slotstream/protocol'

/** A value that features take from messages. */
export type Scalar = string | number | boolean

/**
 * Returns whether a value is one that a feature takes: a text of 1 to 256 characters, a finite number, or a truth
 * value.
 */
export function isScalar(value: unknown): value is Scalar {
  if (typeof value === 'string') return value !== '' && value.length <= MAX_NAME_LENGTH
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
}

const DECIMAL = /^[+-]?\d{1,16}(?:\.\d{1,16})?$/

/** Returns the number that a value is, or that its text says in digits, as SQL reads it; undefined where it is none. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value
  // Not -0, which is stored as 0.
  return typeof number === 'number' && Number.isFinite(number) ? number + 0 : undefined
}

/** Returns a value as a key: equal keys mean equal values of the same type. */
export function keyOfScalar(value: Scalar): string {
  return typeof value === 'string' ? `"${value}` : String(value)
}

/** Returns the value of a key. */
export function scalarOfKey(key: string): Scalar {
  if (key.startsWith('"')) return key.slice(1)
  return key === 'true' || key === 'false' ? key === 'true' : Number(key)
}
