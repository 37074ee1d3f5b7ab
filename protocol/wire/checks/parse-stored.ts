import { MAX_NAME_LENGTH } from '../limits.js'
import type { Check } from './check.js'

/** Longest visitor id: an id with the prefix that keeps browsers and people apart. */
const MAX_VISITOR_ID = MAX_NAME_LENGTH + 'visitor:'.length

/** A site's id: it becomes part of subjects, keys and SQL. */
const SITE_ID = /^[a-z0-9-]{1,64}$/

const decoder = new TextDecoder()

/**
 * Parses what a stream or a bucket holds: JSON first, then its shape. Whatever can publish to NATS may have written it,
 * so nothing that is read is used before it went through here. The reason repeats nothing of the data.
 *
 * @param read parses JSON, and throws where it is none
 */
export function parseStored<T>(
  data: Uint8Array | string,
  parse: (raw: unknown) => Check<T>,
  read: (json: string) => unknown = JSON.parse,
): Check<T> {
  let raw: unknown
  try {
    raw = read(typeof data === 'string' ? data : decoder.decode(data))
  } catch {
    return { ok: false, reason: 'the message is not JSON' }
  }
  return parse(raw)
}

/**
 * Tells whether a value is an id or name: not empty, not too long, and without NUL, which separates the parts of keys.
 */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && !value.includes('\0')
}

/** Tells, as `isId`, whether a value is an id, or the empty text. */
export function isIdOrEmpty(value: unknown): value is string {
  return value === '' || isId(value)
}

/** Tells whether a value is the id of a site. */
export function isSiteId(value: unknown): value is string {
  return typeof value === 'string' && SITE_ID.test(value)
}

/** Tells whether a value is the key of a visitor, see `visitorIdOf`. */
export function isVisitorId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_VISITOR_ID && !value.includes('\0')
}

/** Tells whether a value is a whole number from 0 that the engine can count on from. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Tells whether a value is absent, or fit. */
export function isAbsentOr(value: unknown, isFit: (value: unknown) => boolean): boolean {
  return value === undefined || isFit(value)
}

/** Tells whether a value is a list whose entries are all fit. */
export function isListOf(value: unknown, isFit: (entry: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isFit)
}

/** Tells whether a value is text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Returns the check of a value that does not fit. */
export function misfit(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}
