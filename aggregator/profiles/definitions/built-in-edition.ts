import type { KV } from '@nats-io/kv'
import { ALL_BUILT_IN_FEATURES, type BuiltInFeature, builtInSince, versionOfFeature } from '@slotstream/core'
import { BUILT_IN_KEY, parseStoredBuiltIn, type StoredBuiltIn } from '@slotstream/protocol'
import { isJetStreamError, parseEntry } from '@slotstream/runtime'

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
    const { stored, revision } = await readStored(bucket)
    if (stored && isSame(stored, features)) return { features, since: builtInSince(stored, revision, features) }
    try {
      await bucket.put(BUILT_IN_KEY, JSON.stringify(nextOf(stored, revision, features)), { previousSeq: revision })
    } catch (error) {
      // Another process was faster.
      if (!isJetStreamError(error, 'wrongLastSequence')) throw error
    }
  }
}

/** Reads the same, and notes nothing. */
export async function readBuiltIn(bucket: Pick<KV, 'get'>): Promise<BuiltInEdition> {
  const { stored, revision } = await readStored(bucket)
  return { features: ALL_BUILT_IN_FEATURES, since: builtInSince(stored, revision, ALL_BUILT_IN_FEATURES) }
}

async function readStored(bucket: Pick<KV, 'get'>): Promise<{ stored: StoredBuiltIn | undefined; revision: number }> {
  const entry = await bucket.get(BUILT_IN_KEY)
  const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseStoredBuiltIn) : undefined
  return { stored: parsed?.ok ? parsed.value : undefined, revision: entry?.revision ?? 0 }
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
