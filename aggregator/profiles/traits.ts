/** Most traits a profile keeps; further names are ignored. */
export const MAX_TRAITS = 100

/** Longest trait, in characters of its name and JSON text; longer ones are ignored. With the number of traits it bounds a profile. */
export const MAX_TRAIT_LENGTH = 1_000

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/** `known` with the traits of `newer` put over it. A trait that is set to null is removed. */
export function mergeTraits(known: Record<string, unknown>, newer: Record<string, unknown>): Record<string, unknown> {
  const merged = new Map(Object.entries(known))
  for (const [name, value] of Object.entries(newer)) {
    if (FORBIDDEN.has(name)) continue
    if (value === null) merged.delete(name)
    else if (merged.size < MAX_TRAITS || merged.has(name))
      if (name.length + JSON.stringify(value).length <= MAX_TRAIT_LENGTH) merged.set(name, value)
  }
  return Object.fromEntries(merged)
}
