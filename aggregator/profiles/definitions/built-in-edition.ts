import type { KV } from '@nats-io/kv'
import { ALL_BUILT_IN_FEATURES, type BuiltInFeature, builtInSince, versionOfFeature } from '@slotstream/core'
import { BUILT_IN_KEY, parseStoredBuiltIn, type StoredBuiltIn } from '@slotstream/protocol'
import { readValue, replaceValue } from '@slotstream/runtime'

/**
 * Built-in features, and since when this installation has each: those of a later release have history to be counted.
 */
export interface BuiltInEdition {
  features: readonly BuiltInFeature[]
  /** Revision in which each came, by name, where that is not the beginning. */
  since: Readonly<Record<string, number>>
}

/** The built-in features of an installation that never had others. */
export const FIRST_EDITION: BuiltInEdition = { features: ALL_BUILT_IN_FEATURES, since: {} }

/**
 * Reads since when the installation has the built-in features, and notes those that are new. It is the bucket
 * `definitions` whose revisions number them, so that they are of one order with the sets of sites.
 *
 * @param features default: those of this release
 */
export async function noteBuiltIn(
  bucket: Pick<KV, 'get' | 'put'>,
  features: readonly BuiltInFeature[] = ALL_BUILT_IN_FEATURES,
): Promise<BuiltInEdition> {
  for (;;) {
    const { value, revision } = await readValue(bucket, BUILT_IN_KEY, parseStoredBuiltIn)
    if (value && isSame(value, features)) return { features, since: builtInSince(value, revision, features) }
    // Another process may be faster: what is there afterwards is read again.
    await replaceValue(bucket, BUILT_IN_KEY, nextOf(value, revision, features), revision)
  }
}

/** Reads the same, and notes nothing. */
export async function readBuiltIn(bucket: Pick<KV, 'get'>): Promise<BuiltInEdition> {
  const { value, revision } = await readValue(bucket, BUILT_IN_KEY, parseStoredBuiltIn)
  return { features: ALL_BUILT_IN_FEATURES, since: builtInSince(value, revision, ALL_BUILT_IN_FEATURES) }
}

function isSame({ features: stored }: StoredBuiltIn, features: readonly BuiltInFeature[]): boolean {
  return (
    Object.keys(stored).length === features.length &&
    features.every(feature => stored[feature.name]?.version === versionOfFeature(feature))
  )
}

/**
 * Returns what is noted instead. The first time nothing is known of what was counted before: it is taken for the same.
 */
function nextOf(
  stored: StoredBuiltIn | undefined,
  revision: number,
  features: readonly BuiltInFeature[],
): StoredBuiltIn {
  const next = features.map(feature => {
    const version = versionOfFeature(feature)
    if (!stored) return [feature.name, { version, addedIn: 0 }] as const
    const before = stored.features[feature.name]
    const isKnown = before?.version === version
    return [feature.name, { version, ...(isKnown && { addedIn: before.addedIn ?? revision }) }] as const
  })
  return { features: Object.fromEntries(next) }
}
