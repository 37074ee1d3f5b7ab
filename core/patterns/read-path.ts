import { byteLength, hash32 } from '@slotstream/protocol'
import { KEPT_CHARACTERS, MAX_KEPT_BYTES } from './bounds.js'

/** Reads all values at a path of a message. */
export type ReadValues = (message: object) => unknown[]

/** Names of a path that are looked at: more than a message is deep. */
const MOST_NAMES = 20

/**
 * Compiles a path with dots. Only own properties are read; a list on the way is walked element by element, so that there
 * may be several values.
 */
export function compilePath(path: string): ReadValues {
  const names = path.split('.').slice(0, MOST_NAMES)
  return message => {
    const values: unknown[] = []
    collect(message, names, 0, values)
    return values
  }
}

function collect(value: unknown, names: readonly string[], index: number, into: unknown[]): void {
  if (Array.isArray(value)) {
    for (const entry of value) collect(entry, names, index, into)
    return
  }
  if (index === names.length) {
    into.push(value)
    return
  }
  const name = names[index]!
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
    collect((value as Record<string, unknown>)[name], names, index + 1, into)
}

/**
 * The text by which values are compared: numbers as they are written, so that 7 and "7" are the same. Empty for what is
 * no text, number or boolean.
 */
export function comparedText(value: unknown): string {
  if (typeof value === 'string') return keptText(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** Characters that take one byte in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/

/** A text as states keep it: itself, or the beginning of a long one with a hash. Equal texts are kept equally. */
export function keptText(text: string): string {
  const isShort =
    text.length <= MAX_KEPT_BYTES - 2 && (PLAIN.test(text) || byteLength(JSON.stringify(text)) <= MAX_KEPT_BYTES)
  if (isShort) return text
  // Half of a pair at the cut could not be stored.
  return `${text.slice(0, KEPT_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')}…${hash32(text).toString(36)}`
}
