import { isObject } from '../../wire/checks/is-object.js'
import { nearest } from '../../wire/checks/nearest.js'

/** An entry of the catalog while it is read. */
export interface Reading {
  /** One line for each fault, naming the field by its path. */
  faults: string[]
  /**
   * Whether unknown fields, and lists and values that are too large, are faults. They are not in what is stored
   * already.
   */
  isStrict: boolean
}

/**
 * A field of a slot or a content, or of a part of one: what it may be, and what it is for. The check, the API's
 * description and docs/catalog.md read it.
 */
export interface CatalogField {
  /** Description of a permitted value, as it follows "must be". */
  form: string
  isFit(value: unknown): boolean
  /** Reads the parts of a fit value, and notes what is wrong with them. Default: the value is kept as it is. */
  read?(value: never, path: string, reading: Reading): unknown
  meaning: string
  /** As it is in the documentation; absent: it must be given, or has no default. */
  default?: string
  /** Value that is kept where it is left out. Default: the field is left out, too. */
  filledWith?: unknown
  isRequired?: true
}

/** The fields of an object, in the order in which the documentation lists them. */
export type CatalogFields = Readonly<Record<string, CatalogField>>

/** Result of checking a slot or a content that is put: the value as it is stored, or one line for each fault. */
export type CatalogCheck<T> = { ok: true; value: T } | { ok: false; reason: string; faults: string[] }

/** Most unknown fields of one object that are told. */
const MAX_UNKNOWN = 10

/** Longest name that a line repeats, in characters. */
const LONGEST = 64

/**
 * Reads the known fields of an object, and notes what is wrong with them. Null is as good as a field that is left out.
 */
export function readFields(
  raw: Readonly<Record<string, unknown>>,
  fields: CatalogFields,
  path: string,
  reading: Reading,
): Record<string, unknown> {
  const { faults, isStrict } = reading
  const prefix = path === '' ? '' : `${path}.`
  if (isStrict) faults.push(...unknownFieldLines(raw, Object.keys(fields), prefix))
  const entry: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = raw[name] ?? field.filledWith
    if (value === undefined && !field.isRequired) continue
    if (!field.isFit(value)) faults.push(`${prefix}${name} must be ${field.form}`)
    else entry[name] = field.read ? field.read(value as never, `${prefix}${name}`, reading) : value
  }
  return entry
}

/** Returns the reader of a field that is an object with these fields. */
export function objectOf(fields: CatalogFields): NonNullable<CatalogField['read']> {
  return (raw: Readonly<Record<string, unknown>>, path, reading) => readFields(raw, fields, path, reading)
}

/** Returns the reader of a field that is a list of objects with these fields. */
export function listOf(fields: CatalogFields, most: number, example: string): NonNullable<CatalogField['read']> {
  return (list: readonly unknown[], path, reading) => {
    if (isTooLong(list, most, path, reading)) return []
    return list.map((entry, index) => {
      const at = `${path}[${index}]`
      if (isObject(entry)) return readFields(entry, fields, at, reading)
      reading.faults.push(`${at} must be an object such as ${example}`)
      return {}
    })
  }
}

/** Returns the reader of a field that is a list of fit values, of which there may be so many in what is put. */
export function atMost(most: number): NonNullable<CatalogField['read']> {
  return (list: readonly unknown[], path, reading) => (isTooLong(list, most, path, reading) ? [] : list)
}

function isTooLong(list: readonly unknown[], most: number, path: string, { faults, isStrict }: Reading): boolean {
  if (!isStrict || list.length <= most) return false
  faults.push(`${path} has ${list.length} entries, ${most} are allowed`)
  return true
}

/** Returns one line for each field of an object that is none of `fields`, with the one that was probably meant. */
export function unknownFieldLines(object: object, fields: readonly string[], prefix = ''): string[] {
  return Object.keys(object)
    .filter(name => !fields.includes(name))
    .slice(0, MAX_UNKNOWN)
    .map(name => {
      const meant = nearest(name, fields)
      const hint = meant ? `did you mean ${prefix}${meant}?` : `there are ${fields.join(', ')}`
      return `${prefix}${name.slice(0, LONGEST)} is unknown: ${hint}`
    })
}
