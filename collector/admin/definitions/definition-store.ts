import type { KV, KvEntry } from '@nats-io/kv'
import { BUILT_IN, builtInSince } from '@slotstream/core'
import {
  BUILT_IN_KEY,
  DEFINITION_KINDS,
  type DefinitionKind,
  type DefinitionSet,
  definitionsKey,
  NO_DEFINITIONS,
  parseStoredBuiltIn,
  parseStoredDefinitions,
  type StoredDefinitions,
} from '@slotstream/protocol'
import { bucketHistory, parseEntry, type Revision, readValue, replaceValue } from '@slotstream/runtime'

/**
 * The sets that administrators declare, in the bucket `definitions`. A revision is that of the entry, so it grows for
 * good.
 */
export interface DefinitionStore {
  read<Kind extends DefinitionKind>(siteId: string, kind: Kind): Promise<DefinitionSet<Kind>>
  /** Resolves to an earlier revision; undefined: it is not there, or not any more. */
  readRevision<Kind extends DefinitionKind>(
    siteId: string,
    kind: Kind,
    revision: number,
  ): Promise<DefinitionSet<Kind> | undefined>
  /** Lists the revisions that are kept, the newest first. */
  history(siteId: string, kind: DefinitionKind): Promise<Revision[]>
  /** Stores a set if `after` is still the site's revision. Resolves to the new one; undefined: it was not. */
  write<Kind extends DefinitionKind>(
    siteId: string,
    kind: Kind,
    stored: StoredDefinitions<Kind>,
    after: number,
  ): Promise<number | undefined>
  /** Resolves to the revisions in which built-in features came, by name: see `builtInSince`. */
  readBuiltIn(): Promise<Record<string, number>>
  /** Removes all sets of a site with their history. */
  removeAll(siteId: string): Promise<void>
}

export function createDefinitionStore(bucket: KV): DefinitionStore {
  function storedOf<Kind extends DefinitionKind>(kind: Kind, entry: Pick<KvEntry, 'json'>) {
    const parsed = parseEntry(entry, raw => parseStoredDefinitions(kind, raw))
    return parsed.ok ? parsed.value : undefined
  }

  return {
    async read(siteId, kind) {
      const entry = await bucket.get(definitionsKey(siteId, kind))
      if (!entry) return NO_DEFINITIONS
      const stored = entry.operation === 'PUT' ? storedOf(kind, entry) : undefined
      // What can't be read is an empty set, at its revision: the next one may take its place.
      return { ...NO_DEFINITIONS, revision: entry.revision, at: entry.created.toISOString(), ...stored }
    },
    async readRevision(siteId, kind, revision) {
      const entry = await bucket.get(definitionsKey(siteId, kind), { revision })
      if (entry?.operation !== 'PUT') return undefined
      const stored = storedOf(kind, entry)
      return stored && { revision, at: entry.created.toISOString(), ...stored }
    },
    async history(siteId, kind) {
      return (await bucketHistory(bucket, definitionsKey(siteId, kind))).toReversed()
    },
    write: (siteId, kind, stored, after) => replaceValue(bucket, definitionsKey(siteId, kind), stored, after),
    async readBuiltIn() {
      const { value, revision } = await readValue(bucket, BUILT_IN_KEY, parseStoredBuiltIn)
      return builtInSince(value, revision, BUILT_IN.features)
    },
    async removeAll(siteId) {
      for (const kind of DEFINITION_KINDS) {
        const key = definitionsKey(siteId, kind)
        if ((await bucket.get(key))?.operation === 'PUT') await bucket.purge(key)
      }
    },
  }
}
