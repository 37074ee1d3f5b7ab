import { isObject, type Json, type JsonObject } from '@slotstream/protocol'

/**
 * Returns what of a value became what; undefined where nothing changed. Of values by key these are the keys that
 * differ.
 */
export function changedParts(from: Json, to: Json): { from: Json; to: Json } | undefined {
  if (isSame(from, to)) return undefined
  if (!isObject(from) || !isObject(to)) return { from, to }
  const [before, after] = [from as JsonObject, to as JsonObject]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    key => !isSame(before[key], after[key]),
  )
  return keys.length === 0 ? undefined : { from: only(before, keys), to: only(after, keys) }
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

function only(values: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap(key => (Object.hasOwn(values, key) ? [[key, values[key]!]] : [])))
}
