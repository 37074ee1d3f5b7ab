import { isObject } from './checks/is-object.js'
import { digitsOf, markIntegers } from './exact-integers.js'

/** Fields of what administrators set that are handed on as they are: nothing is computed with their numbers. */
const HANDED_ON = ['payload', 'attributes']

/**
 * Returns a value with the whole numbers beyond 2^53 in payloads and attributes as text, with all their digits: as numbers, every
 * reader that is written in JavaScript would round them.
 *
 * @param json text of the value
 * @param value as JSON.parse reads it
 */
export function withExactPayloads(json: string, value: unknown): unknown {
  const marked = markIntegers(json)
  return marked === undefined ? value : exactIn(value, JSON.parse(marked))
}

/** @param marked the same value, whose unsafe numbers are marked text */
function exactIn(value: unknown, marked: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => exactIn(entry, (marked as unknown[])[index]))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => {
      const own = (marked as Record<string, unknown>)[name]
      return [name, HANDED_ON.includes(name) ? asText(own) : exactIn(entry, own)]
    }),
  )
}

function asText(marked: unknown): unknown {
  if (typeof marked === 'string') return digitsOf(marked)
  if (Array.isArray(marked)) return marked.map(asText)
  if (!isObject(marked)) return marked
  return Object.fromEntries(Object.entries(marked).map(([name, entry]) => [name, asText(entry)]))
}
