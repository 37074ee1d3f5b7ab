import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import { MAX_KEY_LENGTH } from '../../wire/limits.js'
import { parseDuration } from '../definitions/duration.js'
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from './limits.js'
import type { CatalogField } from './reading.js'

/** Tells whether a value is a finite number within bounds. */
export function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most
}

/** Tells whether a value is a whole number within bounds. */
export function isWholeWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && isWithin(value, least, most)
}

/** Tells whether a value is a share: 0 to 1. */
export function isShare(value: unknown): boolean {
  return isWithin(value, 0, 1)
}

/** Tells whether a value is a duration, such as `5s`. */
export function isDuration(value: unknown): boolean {
  return typeof value === 'string' && parseDuration(value) !== undefined
}

/** Tells whether a value can name an event. */
export function isEventName(value: unknown): boolean {
  return isId(value) && value !== '__proto__'
}

/** Tells whether a value is a list of ids. */
export function isIdList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isId)
}

/** Tells whether a value is a list of ids with an entry. */
export function isFilledIdList(value: unknown): boolean {
  return isIdList(value) && (value as unknown[]).length > 0
}

/** Reads an object of JSON that is kept as it is: `where`, `attributes`, `schema`. */
export const readJson: NonNullable<CatalogField['read']> = (value: unknown, path, { faults }) => {
  const trouble = jsonTrouble(value)
  if (trouble !== undefined) faults.push(`${path} ${trouble}`)
  return value
}

/**
 * Says why a value of JSON is too large or too deep, or has a key that no object should have; undefined when it is
 * neither.
 */
export function jsonTrouble(value: unknown): string | undefined {
  let left = MAX_JSON_VALUES
  const visit = (part: unknown, depth: number): string | undefined => {
    if (--left < 0) return `holds more than ${MAX_JSON_VALUES} values`
    if (typeof part !== 'object' || part === null) return undefined
    if (depth > MAX_JSON_DEPTH) return `is nested deeper than ${MAX_JSON_DEPTH} levels`
    for (const key of isObject(part) ? Object.keys(part) : []) {
      if (key === '__proto__') return 'must not have the key __proto__'
      if (key.length > MAX_KEY_LENGTH) return `has a key of ${key.length} characters, ${MAX_KEY_LENGTH} are allowed`
    }
    for (const entry of Object.values(part)) {
      const trouble = visit(entry, depth + 1)
      if (trouble !== undefined) return trouble
    }
    return undefined
  }
  return visit(value, 1)
}
