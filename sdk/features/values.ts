import type { FeatureValues } from '../types.js'

/** Event of the page that tells of new values. */
export const CHANGED = 'slotstream:features'

let read: (() => FeatureValues) | undefined

/** Sets where values come from; undefined: from nowhere. */
export function readFrom(source: (() => FeatureValues) | undefined): void {
  read = source
}

/** Returns the features of the running session, by name; empty until they are known, and where they are not counted. */
export const sessionFeatures = (): FeatureValues => read?.() ?? {}

/**
 * Calls a function with the features of the running session: now, if they are known, and after each change. Returns a
 * function that ends it.
 */
export function onSessionFeatures(listener: (values: FeatureValues) => void): () => void {
  if (typeof window === 'undefined') return () => {}
  const hear = (event: Event) => listener((event as CustomEvent<FeatureValues>).detail)
  window.addEventListener(CHANGED, hear)
  const values = sessionFeatures()
  if (Object.keys(values).length > 0) listener(values)
  return () => window.removeEventListener(CHANGED, hear)
}
