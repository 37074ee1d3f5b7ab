import { isObject, type JsonObject } from '@slotstream/protocol'

/**
 * Most schemas within a schema, those behind `$ref` counted at each place that refers to them: an event's check visits
 * each at most once for every value it applies to.
 */
export const MAX_SUBSCHEMAS = 2_000

/** Most entries of a list that must all differ: comparing each with each costs their square. */
export const MAX_UNIQUE_ITEMS = 100

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set([
  ...['additionalProperties', 'items', 'contains', 'not', 'if', 'then', 'else', 'propertyNames'],
  ...['unevaluatedItems', 'unevaluatedProperties'],
])
const LIST = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const BY_NAME = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'])

/** A fault of a schema, and its place: a JSON Pointer into it. */
export interface Trouble {
  pointer: string
  what: string
}

/**
 * Looks for what a valid schema may hold and a plan may not: references out of the file, and what would let a message
 * cost far more than others. Yields how many schemas it holds, those behind `$ref` counted at each place.
 */
export function inspectSchema(schema: JsonObject): { trouble: Trouble } | { trouble?: undefined; subschemas: number } {
  const sizes = new Map<unknown, number>()
  const path: string[] = []

  /** Schemas in a schema, references followed. Throws a Trouble. */
  function sizeOf(node: unknown): number {
    if (!isObject(node)) return 1
    const counted = sizes.get(node)
    if (counted !== undefined) return counted
    // What refers to itself is counted once; the depth of a message is limited.
    sizes.set(node, 1)
    let size = 1
    checkNode(node as JsonObject)
    if (typeof node.$ref === 'string') size += sizeOf(targetOf(node.$ref))
    for (const [key, value] of Object.entries(node)) {
      if (ONE.has(key)) size += within([key], value)
      else if (LIST.has(key) && Array.isArray(value))
        for (const [index, entry] of value.entries()) size += within([key, String(index)], entry)
      else if (BY_NAME.has(key) && isObject(value))
        for (const [name, entry] of Object.entries(value)) {
          const inside = within([key, name], entry)
          if (key !== '$defs' && key !== 'definitions') size += inside
        }
      if (size > MAX_SUBSCHEMAS)
        throw trouble(`holds more than ${MAX_SUBSCHEMAS} schemas, those behind $ref counted at each place`)
    }
    sizes.set(node, size)
    return size
  }

  function within(keys: string[], node: unknown): number {
    path.push(...keys)
    const size = sizeOf(node)
    path.length -= keys.length
    return size
  }

  function checkNode(node: JsonObject): void {
    if (path.length > 0 && node.$id !== undefined)
      throw trouble('$id is possible at the top only: refer with "#/$defs/…"')
    if (node.$dynamicRef !== undefined) throw trouble('$dynamicRef is not possible here: use $ref')
    if (typeof node.$ref === 'string' && !/^#(\/|$)/.test(node.$ref))
      throw trouble(`$ref "${node.$ref}" leaves the file: put what it means under $defs and refer with "#/$defs/…"`)
    if (node.uniqueItems === true && !(typeof node.maxItems === 'number' && node.maxItems <= MAX_UNIQUE_ITEMS))
      throw trouble(`uniqueItems needs a maxItems of at most ${MAX_UNIQUE_ITEMS} beside it`)
  }

  function targetOf(ref: string): unknown {
    let at: unknown = schema
    for (const part of ref.split('/').slice(1)) {
      const key = decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~')
      // Only what the file says: every object has a `constructor`.
      at =
        typeof at === 'object' && at !== null && Object.hasOwn(at, key)
          ? (at as Record<string, unknown>)[key]
          : undefined
    }
    return at
  }

  function trouble(what: string): Trouble {
    return { pointer: path.map(key => `/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`).join(''), what }
  }

  try {
    return { subschemas: sizeOf(schema) }
  } catch (error) {
    if (error instanceof URIError) return { trouble: { pointer: '', what: 'a $ref holds a "%" that means nothing' } }
    if (error instanceof RangeError) return { trouble: { pointer: '', what: 'is nested too deeply' } }
    if (!(error as Trouble).what) throw error
    return { trouble: error as Trouble }
  }
}
