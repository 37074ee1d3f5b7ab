import type { StoredBuiltIn } from '@slotstream/protocol'
import type { BuiltInFeature } from './built-in.js'
import { versionOfFeature } from './compile.js'

/**
 * Returns the revisions in which built-in features came to an installation, by name, but for those that were there from
 * the start. What was never noted is as new as what was noted last.
 *
 * @param stored undefined: nothing was ever noted, so that all were there
 * @param revision of what is stored
 */
export function builtInSince(
  stored: StoredBuiltIn | undefined,
  revision: number,
  features: readonly BuiltInFeature[],
): Record<string, number> {
  if (!stored) return {}
  const since = features.map(feature => {
    const storedFeature = stored.features[feature.name]
    const isKnown = storedFeature?.version === versionOfFeature(feature)
    return [feature.name, isKnown ? (storedFeature.addedIn ?? revision) : revision] as const
  })
  return Object.fromEntries(since.filter(([, addedIn]) => addedIn > 0))
}
