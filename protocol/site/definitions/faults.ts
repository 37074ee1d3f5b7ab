import { nearest } from '../../wire/checks/nearest.js'

/** Result of checking what an administrator declares: the value in its type, or one line for each fault. */
export type DefinitionCheck<T> = { ok: true; value: T } | { ok: false; faults: string[] }

/** Most lines that a check yields; the last one tells how many more there are. */
const MAX_FAULTS = 100

/** Most unknown fields of one object that are told. */
const MAX_UNKNOWN = 10

/** Longest name or value that a line repeats, in characters. */
const LONGEST = 64

/** Returns one line for each field of an object that is none of `fields`, with the one that was probably meant. */
export function unknownFields(object: object, fields: readonly string[], path: string): string[] {
  return Object.keys(object)
    .filter(name => !fields.includes(name))
    .slice(0, MAX_UNKNOWN)
    .map(name => {
      const meant = nearest(name, fields)
      const hint = meant === undefined ? `there are ${fields.join(', ')}` : `did you mean "${meant}"?`
      return `${path}.${cut(name)}: unknown field, ${hint}`
    })
}

/** Returns the lines as far as they can be shown. */
export function shownFaults(faults: readonly string[]): string[] {
  if (faults.length <= MAX_FAULTS) return [...faults]
  return [...faults.slice(0, MAX_FAULTS), `and ${faults.length - MAX_FAULTS} more`]
}

/** Returns a value as a line repeats it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return cut(JSON.stringify(value))
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}
