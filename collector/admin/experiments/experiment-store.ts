import type { KV, KvEntry } from '@nats-io/kv'
import {
  type Experiment,
  type ExperimentSet,
  experimentsKey,
  NO_EXPERIMENTS,
  parseStoredExperiments,
} from '@slotstream/protocol'
import { bucketHistory, parseEntry, type Revision, replaceValue } from '@slotstream/runtime'

/** The experiments of sites, in the bucket `definitions`. A revision is that of the entry, so it grows for good. */
export interface ExperimentStore {
  read(siteId: string): Promise<ExperimentSet>
  /** Resolves to an earlier revision; undefined: it is not there, or not any more. */
  readRevision(siteId: string, revision: number): Promise<ExperimentSet | undefined>
  /** Lists the revisions that are kept, the newest first. */
  history(siteId: string): Promise<Revision[]>
  /** Stores a set if `after` is still the site's revision. Resolves to the new one; undefined: it was not. */
  write(siteId: string, experiments: readonly Experiment[], after: number): Promise<number | undefined>
  /** Removes the experiments of a site with their history. */
  removeAll(siteId: string): Promise<void>
}

/** Creates the store over the bucket `definitions`. */
export function createExperimentStore(bucket: KV): ExperimentStore {
  return {
    async read(siteId) {
      const entry = await bucket.get(experimentsKey(siteId))
      return entry ? setOf(entry) : NO_EXPERIMENTS
    },
    async readRevision(siteId, revision) {
      const entry = await bucket.get(experimentsKey(siteId), { revision })
      return entry?.operation === 'PUT' ? setOf(entry) : undefined
    },
    async history(siteId) {
      return (await bucketHistory(bucket, experimentsKey(siteId))).toReversed()
    },
    write: (siteId, experiments, after) => replaceValue(bucket, experimentsKey(siteId), { experiments }, after),
    async removeAll(siteId) {
      const key = experimentsKey(siteId)
      if ((await bucket.get(key))?.operation === 'PUT') await bucket.purge(key)
    },
  }
}

/**
 * Returns what an entry holds. What can't be read is an empty set, at its revision: the next one may take its place.
 */
function setOf(entry: Pick<KvEntry, 'operation' | 'json' | 'revision' | 'created'>): ExperimentSet {
  const parsed = entry.operation === 'PUT' ? parseEntry(entry, parseStoredExperiments) : undefined
  const experiments = parsed?.ok ? parsed.value : []
  return { revision: entry.revision, at: entry.created.toISOString(), experiments }
}
