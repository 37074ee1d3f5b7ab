import type { JsonObject } from '@slotstream/protocol'
import isEqual from 'fast-deep-equal'
import { isMultipleOf } from '../compile/is-multiple-of.js'

/** A difference between two schemas in what they say of one value itself, not of what is inside it. */
export interface Finding {
  /** `addition`: all still fit; `revision`: some may not; `end`: no value that fitted before fits any more. */
  step: 'addition' | 'revision' | 'end'
  what: string
}

/** Limits that are tighter the larger they are, and the smaller. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
/** Compared as a whole: without one of them, more fits. */
const WHOLE = [
  ...['pattern', 'format', 'uniqueItems', 'allOf', 'oneOf', 'not', 'dependentRequired', 'dependentSchemas'],
  ...['contains', 'propertyNames'],
]
/** Say nothing about what fits, or are followed to where they lead. */
const UNSAID = [
  ...['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment'],
  ...['$id', '$schema', '$defs', 'definitions', '$anchor', '$ref'],
]
const INSIDE = ['properties', 'required', 'additionalProperties', 'items']
const COMPARED = new Set([
  ...LOWER,
  ...UPPER,
  ...WHOLE,
  ...UNSAID,
  ...INSIDE,
  'type',
  'enum',
  'const',
  'multipleOf',
  'anyOf',
])

/** Compares two schemas whose references are followed. */
export function compareAssertions(old: JsonObject, now: JsonObject): Finding[] {
  const others = new Set([...Object.keys(old), ...Object.keys(now)].filter(keyword => !COMPARED.has(keyword)))
  return [
    compareTypes(old, now),
    compareValues(valuesOf(old), valuesOf(now)),
    ...LOWER.map(keyword => compareLimit(keyword, old[keyword], now[keyword], (a, b) => b > a)),
    ...UPPER.map(keyword => compareLimit(keyword, old[keyword], now[keyword], (a, b) => b < a)),
    compareLimit('multipleOf', old.multipleOf, now.multipleOf, (a, b) => !isMultipleOf(a, b)),
    compareAlternatives(old.anyOf, now.anyOf),
    ...WHOLE.map(keyword => compareWhole(keyword, old[keyword], now[keyword])),
    ...[...others].map(keyword => compareUnknown(keyword, old[keyword], now[keyword])),
  ].filter(finding => finding !== undefined)
}

function compareTypes(old: JsonObject, now: JsonObject): Finding | undefined {
  const [olds, nows] = [typesOf(old), typesOf(now)]
  const common = olds.filter(type => nows.includes(type))
  const what = `type: ${[old.type ?? 'anything'].flat().join(' or ')} → ${[now.type ?? 'anything'].flat().join(' or ')}`
  if (common.length === 0) return { step: 'end', what }
  if (common.length < olds.length) return { step: 'revision', what }
  return olds.length < nows.length ? { step: 'addition', what } : undefined
}

const TYPES = ['null', 'boolean', 'object', 'array', 'integer', 'fraction', 'string']

/** Returns the types that fit; whole numbers apart from the others, because `number` takes both. */
function typesOf({ type }: JsonObject): string[] {
  if (type === undefined) return TYPES
  return [type].flat().flatMap(name => (name === 'number' ? ['integer', 'fraction'] : [String(name)]))
}

function valuesOf(schema: JsonObject): unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const]
  return Array.isArray(schema.enum) ? schema.enum : undefined
}

function compareValues(olds: unknown[] | undefined, nows: unknown[] | undefined): Finding | undefined {
  if (!nows) return olds && { step: 'addition', what: 'any value now' }
  if (!olds) return { step: 'revision', what: `only ${list(nows)} now` }
  const gone = olds.filter(value => !holds(nows, value))
  const fresh = nows.filter(value => !holds(olds, value))
  if (gone.length === olds.length) return { step: 'end', what: `only ${list(nows)} now, not ${list(gone)}` }
  if (gone.length > 0) return { step: 'revision', what: `not ${list(gone)} any more` }
  return fresh.length > 0 ? { step: 'addition', what: `${list(fresh)} too` } : undefined
}

function compareLimit(
  keyword: string,
  old: unknown,
  now: unknown,
  isTighter: (old: number, now: number) => boolean,
): Finding | undefined {
  if (old === now) return undefined
  const what = `${keyword} ${old ?? 'none'} → ${now ?? 'none'}`
  if (typeof now !== 'number') return { step: 'addition', what }
  return { step: typeof old !== 'number' || isTighter(old, now) ? 'revision' : 'addition', what }
}

function compareAlternatives(olds: unknown, nows: unknown): Finding | undefined {
  if (isEqual(olds, nows)) return undefined
  if (nows === undefined) return { step: 'addition', what: 'anyOf is gone' }
  const allThere = Array.isArray(olds) && Array.isArray(nows) && olds.every(alternative => holds(nows, alternative))
  return allThere ? { step: 'addition', what: 'anyOf allows more' } : compareUnknown('anyOf', olds, nows)
}

function compareWhole(keyword: string, old: unknown, now: unknown): Finding | undefined {
  if (isEqual(old, now)) return undefined
  if (now === undefined || now === false) return { step: 'addition', what: `${keyword} is gone` }
  return { step: 'revision', what: `${keyword} is ${old === undefined ? 'new' : 'another'}` }
}

function compareUnknown(keyword: string, old: unknown, now: unknown): Finding | undefined {
  if (isEqual(old, now)) return undefined
  return { step: 'revision', what: `${keyword} changed: what this allows cannot be compared` }
}

function holds(values: unknown[], value: unknown): boolean {
  return values.some(other => isEqual(other, value))
}

function list(values: unknown[]): string {
  const text = values.map(value => JSON.stringify(value)).join(', ')
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
