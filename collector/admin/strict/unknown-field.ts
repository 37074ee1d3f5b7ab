import { unknownFieldLines } from '@slotstream/protocol'

/**
 * Returns what is wrong with the fields of an object: the first that is none of `fields`, with the one that was
 * probably meant. Undefined when all are known.
 *
 * @param where path of the object, with a dot at its end
 */
export function unknownField(object: object, fields: readonly string[], where = ''): string | undefined {
  return unknownFieldLines(object, fields, where)[0]
}
