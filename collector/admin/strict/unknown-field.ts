import { nearest } from '@slotstream/protocol'

/** Longest name that is shown, in characters. */
const LONGEST = 64

/**
 * Returns what is wrong with the fields of an object: the first that is none of `fields`, with the one that was probably meant.
 * Undefined when all are known.
 *
 * @param where path of the object, with a dot at its end
 */
export function unknownField(object: object, fields: readonly string[], where = ''): string | undefined {
  const unknown = Object.keys(object).find(name => !fields.includes(name))
  if (unknown === undefined) return undefined
  const meant = nearest(unknown, fields)
  const hint = meant ? `did you mean ${where}${meant}?` : `there are ${fields.join(', ')}`
  return `${where}${unknown.slice(0, LONGEST)} is unknown: ${hint}`
}
