import type { KvEntry } from '@nats-io/kv'
import { publicFeatures } from '@slotstream/core'
import { parseDefinitionsKey, parseStoredDefinitions } from '@slotstream/protocol'
import { parseEntry } from '@slotstream/runtime'

/** The features that pages of a site may count, with the revision of its features; 0: it declares none. */
export interface PublicFeatureSet {
  revision: number
  features: object[]
}

/** The public features of all sites, kept up to date from the bucket `definitions`. */
export interface PublicFeatures {
  of(siteId: string): PublicFeatureSet
  /** Applies an entry of the bucket. A set that can't be used changes nothing. */
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json' | 'revision'>): void
}

/** Creates the public features of sites, which are the built-in ones until entries are applied. */
export function createPublicFeatures(): PublicFeatures {
  const builtIn: PublicFeatureSet = { revision: 0, features: publicFeatures([]) }
  const sites = new Map<string, PublicFeatureSet>()
  return {
    of: siteId => sites.get(siteId) ?? builtIn,
    apply(entry) {
      const { siteId, kind } = parseDefinitionsKey(entry.key) ?? {}
      if (siteId === undefined || kind !== 'features') return
      if (entry.operation !== 'PUT') sites.delete(siteId)
      else {
        const parsed = parseEntry(entry, raw => parseStoredDefinitions('features', raw))
        if (parsed.ok) sites.set(siteId, { revision: entry.revision, features: publicFeatures(parsed.value.items) })
      }
    },
  }
}
