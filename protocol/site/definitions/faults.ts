import { nearest } from '../../wire/checks/nearest.js'

/** Result of checking what an administrator declares: the value in its type, or one line for each fault. */
export type DefinitionCheck<T> = { ok: true; value: T } | { ok: false; faults: string[] }

/** Most lines that a check yields; the last one tells how many more there are. */
const MAX_FAULTS = 100

/** Most unknown fields of one object that are told. */
const MAX_UNKNOWN = 10

/** Longest name or value that a line repeats, in characters. */
const LONGEST = 64

/**
 * A field of a definition: what it may be, and what it is for. The check, the API's description and the documentation
 * read it.
 */
export interface DefinitionField {
  /** Description of a permitted value, as it follows "must be". */
  form: string
  isFit(value: unknown): boolean
  /** Guesses the permitted value that a text is meant for. Absent: no guess is made. */
  guess?(text: string): string | undefined
  meaning: string
  /** As it is in the documentation; absent: it must be given, or has no default. */
  default?: string
  isRequired?: true
}

/**
 * Returns one line for each fault of an object's fields. One that is missing under its own name is told once, with the
 * misspelt name that stands for it.
 *
 * @param others names of fields that are no fault here, because something else checks them. Default: none
 */
export function fieldFaults(
  raw: Record<string, unknown>,
  fields: Readonly<Record<string, DefinitionField>>,
  path: string,
  others: readonly string[] = [],
): string[] {
  const names = [...new Set([...Object.keys(fields), ...others])]
  const faults = unknownFields(raw, names, path)
  for (const [name, field] of Object.entries(fields)) {
    const value = raw[name]
    if (value === undefined && (!field.isRequired || isMisspelt(raw, name, names))) continue
    if (!field.isFit(value)) faults.push(unfit(field, value, `${path}.${name}`))
  }
  return faults
}

/** Returns the line about a value that a field cannot have, with the value that was probably meant. */
export function unfit({ form, isFit, guess }: DefinitionField, value: unknown, path: string): string {
  const meant = typeof value === 'string' && value.length <= LONGEST ? guess?.(value) : undefined
  const hint = meant !== undefined && isFit(meant) ? `: did you mean "${meant}"?` : ''
  return `${path}: must be ${form}, not ${shown(value)}${hint}`
}

/** Returns one line for each field of an object that is none of `fields`, with the one that was probably meant. */
export function unknownFields(object: object, fields: readonly string[], path: string): string[] {
  return unknownNames(object, fields).map(name => {
    const meant = nearest(name, fields)
    const hint = meant === undefined ? `there are ${fields.join(', ')}` : `did you mean "${meant}"?`
    return `${path}.${cut(name)}: unknown field, ${hint}`
  })
}

/** Returns whether one of the unknown fields that are told is probably meant for a field. */
export function isMisspelt(object: object, field: string, fields: readonly string[]): boolean {
  return unknownNames(object, fields).some(name => nearest(name, fields) === field)
}

function unknownNames(object: object, fields: readonly string[]): string[] {
  return Object.keys(object)
    .filter(name => !fields.includes(name))
    .slice(0, MAX_UNKNOWN)
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
