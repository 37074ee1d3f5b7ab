import type { JsonObject } from '@slotstream/protocol'

/** A schema; `false` lets nothing pass. */
export type Schema = JsonObject | false

/** References that are followed into one another: a schema that refers to itself is written out so many times. */
const MAX_DEPTH = 4

const ANNOTATIONS = new Set(['title', 'description', 'default', 'examples', 'deprecated', '$comment'])
const LEFT_OUT = new Set([...ANNOTATIONS, '$id', '$schema', '$defs', 'definitions'])
/** Keywords whose keys are names, not keywords. */
const BY_NAME = new Set(['properties', 'patternProperties', 'dependentSchemas', 'dependentRequired'])
const VALUES = new Set(['enum', 'const'])

/**
 * Returns a schema with all references replaced by what they mean, and without what says nothing about what fits. Two
 * that are equal then take the same messages.
 */
export function expandSchema(root: JsonObject): JsonObject {
  return expand(root, 0) as JsonObject

  function expand(node: unknown, depth: number): unknown {
    if (Array.isArray(node)) return node.map(entry => expand(entry, depth))
    if (typeof node !== 'object' || node === null) return node
    const { $ref, ...beside } = node as JsonObject
    const keywords = Object.fromEntries(
      Object.entries(beside)
        .filter(([keyword]) => !LEFT_OUT.has(keyword))
        .map(([keyword, value]) => [keyword, inside(keyword, value, depth)]),
    )
    if (typeof $ref !== 'string') return keywords
    if (depth >= MAX_DEPTH) return { ...keywords, $ref }
    const meant = expand(targetOf($ref), depth + 1)
    if (Object.keys(keywords).length === 0) return meant
    const isApart =
      typeof meant === 'object' && meant !== null && !Object.keys(keywords).some(keyword => keyword in meant)
    return isApart ? { ...meant, ...keywords } : { allOf: [meant, keywords] }
  }

  function inside(keyword: string, value: unknown, depth: number): unknown {
    if (VALUES.has(keyword)) return value
    if (!BY_NAME.has(keyword)) return expand(value, depth)
    return Object.fromEntries(Object.entries(value as object).map(([name, entry]) => [name, expand(entry, depth)]))
  }

  function targetOf(ref: string): unknown {
    let at: unknown = root
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
}
