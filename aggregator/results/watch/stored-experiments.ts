import type { KV } from '@nats-io/kv'
import {
  BUCKETS,
  type Experiment,
  experimentsKey,
  isObject,
  parseStoredExperiments,
  siteOfExperimentsKey,
} from '@slotstream/protocol'
import { bucketKeys, type Log, parseEntry, replaceValue, skipEntry } from '@slotstream/runtime'

/** The experiments of one site. */
export interface SiteExperiments {
  siteId: string
  revision: number
  /** Time when they were stored. */
  at: Date
  experiments: Experiment[]
}

/** Resolves to the experiments of all sites. What can't be read is logged, and left out. */
export async function readExperiments(definitions: KV, log: Log): Promise<SiteExperiments[]> {
  const all: SiteExperiments[] = []
  for (const key of await bucketKeys(definitions, experimentsKey('*'))) {
    const siteId = siteOfExperimentsKey(key)
    const entry = siteId === undefined ? null : await definitions.get(key)
    if (siteId === undefined || entry?.operation !== 'PUT') continue
    const parsed = parseEntry(entry, parseStoredExperiments)
    if (parsed.ok) all.push({ siteId, revision: entry.revision, at: entry.created, experiments: parsed.value })
    else skipEntry(log, BUCKETS.definitions, { key }, parsed.reason)
  }
  return all
}

/**
 * Stores a change of an experiment, such as how it ended, as a further revision of the site's experiments. All else
 * stays as it was stored.
 *
 * @param after the revision by which the experiment was judged
 * @returns the new revision; undefined where the experiments were changed meanwhile
 */
export async function storeChange(
  definitions: KV,
  { siteId, revision: after }: Pick<SiteExperiments, 'siteId' | 'revision'>,
  id: string,
  change: (stored: Record<string, unknown>) => object,
): Promise<number | undefined> {
  const key = experimentsKey(siteId)
  const entry = await definitions.get(key)
  if (entry?.operation !== 'PUT' || entry.revision !== after) return undefined
  const stored = entry.json<{ experiments: unknown[] }>()
  const experiments = stored.experiments.map(each =>
    isObject(each) && each.id === id ? { ...each, ...change(each) } : each,
  )
  return replaceValue(definitions, key, { ...stored, experiments }, after)
}
