import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isAbsentOr, isCount, misfit } from '../wire/checks/parse-stored.js'

/** Key of `StoredBuiltIn` in the bucket `definitions`. No key of a site is like it. */
export const BUILT_IN_KEY = 'builtin'

/**
 * Built-in features that the installation has counted, by name: so that a release which changes them counts their
 * history. The revision of the entry is one of those that sites' sets are numbered by.
 */
export interface StoredBuiltIn {
  features: Record<string, StoredBuiltInFeature>
}

/** A built-in feature that is counted. */
export interface StoredBuiltInFeature {
  /** See `versionOfFeature`. */
  version: string
  /** Revision in which it came; 0: with the installation. Absent: that of the entry */
  addedIn?: number
}

/** Parses a value under `BUILT_IN_KEY`. */
export function parseStoredBuiltIn(raw: unknown): Check<StoredBuiltIn> {
  if (!isObject(raw) || !isObject(raw.features)) return misfit('it has no features')
  const areFeatures = Object.values(raw.features).every(
    feature => isObject(feature) && typeof feature.version === 'string' && isAbsentOr(feature.addedIn, isCount),
  )
  return areFeatures ? { ok: true, value: raw as unknown as StoredBuiltIn } : misfit('a feature has no version')
}
