import type { KV, KvEntry } from '@nats-io/kv'
import {
  BUCKETS,
  BUILT_IN_KEY,
  type DefinitionKind,
  type DefinitionSet,
  NO_DEFINITIONS,
  parseDefinitionsKey,
  parseStoredDefinitions,
  siteOfExperimentsKey,
} from '@slotstream/protocol'
import { type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'

/** The definitions of a site about its profiles: of each kind the last set that could be used. */
export type SiteDefinitions = { readonly [Kind in DefinitionKind]: DefinitionSet<Kind> }

/** The definitions of all sites, kept up to date from their bucket. */
export interface DefinitionsWatch {
  /** Returns a site's definitions; empty sets where it declares none. */
  of(siteId: string): SiteDefinitions
  /** Begins the watch again, by another way if there is one. */
  renew(): void
  stop(): void
}

const NONE: SiteDefinitions = { features: NO_DEFINITIONS, patterns: NO_DEFINITIONS, segments: NO_DEFINITIONS }

/**
 * Follows the bucket `definitions`. Sets are checked by their form only: what compiles them may still refuse one. A set
 * that can't be used is logged and skipped, and the one before stays.
 *
 * @param onChange called with all three sets of a site whenever one of them is another one, also for those that are
 * there at the start
 * @returns when the present state was told
 */
export async function watchDefinitions(
  nats: Nats,
  bucket: KV,
  onChange: (siteId: string, definitions: SiteDefinitions) => void,
  log: Log,
): Promise<DefinitionsWatch> {
  const sites = new Map<string, SiteDefinitions>()

  function apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json' | 'revision' | 'created'>): void {
    const named = parseDefinitionsKey(entry.key)
    if (!named) {
      // Decisions read the one, processes that start the other.
      if (siteOfExperimentsKey(entry.key) !== undefined || entry.key === BUILT_IN_KEY) return
      skipEntry(log, BUCKETS.definitions, { revision: entry.revision }, 'the key names no definitions')
      return
    }
    const { siteId, kind } = named
    const before = sites.get(siteId) ?? NONE
    // A watch that is begun again tells everything once more.
    if (before[kind].revision === entry.revision) return
    const set = setOf(kind, entry)
    if (!set) return
    const definitions: SiteDefinitions = { ...before, [kind]: set }
    sites.set(siteId, definitions)
    onChange(siteId, definitions)
  }

  function setOf(kind: DefinitionKind, entry: Parameters<typeof apply>[0]): DefinitionSet | undefined {
    const { key, revision, created } = entry
    const at = created.toISOString()
    if (entry.operation !== 'PUT') return { revision, at, items: [] }
    const parsed = parseEntry(entry, raw => parseStoredDefinitions(kind, raw))
    if (parsed.ok) return { revision, at, ...parsed.value }
    skipEntry(log, BUCKETS.definitions, { key, revision }, `the set before stays: ${parsed.reason}`)
    return undefined
  }

  const watch = await watchBucket(nats, bucket, apply, log)
  return { of: siteId => sites.get(siteId) ?? NONE, renew: watch.renew, stop: watch.stop }
}
