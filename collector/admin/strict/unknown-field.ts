import { editDistance } from '@slotstream/runtime'

/** Longest name that is compared and shown, in characters. */
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

/** The known name that a name is probably meant for, or undefined. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined
  const plain = plainOf(name)
  const [best] = known
    .map(meant => ({ meant, distance: distanceOf(plain, plainOf(meant)) }))
    .filter(({ meant, distance }) => distance <= Math.max(1, meant.length / 3))
    .toSorted((one, other) => one.distance - other.distance)
  return best?.meant
}

/** Letters at the beginning by which words are near, such as `start` and `startsat`, `explore` and `exploration`. */
const BEGINNING = 5

function distanceOf(name: string, meant: string): number {
  const isAlike = name.length >= BEGINNING && name.slice(0, BEGINNING) === meant.slice(0, BEGINNING)
  return isAlike ? 1 : editDistance(name, meant)
}

/** `starts_at` and `StartsAt` are `startsAt`. */
function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}
