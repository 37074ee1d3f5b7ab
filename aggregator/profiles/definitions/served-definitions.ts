import type { KV } from '@nats-io/kv'
import { type DefinitionSet, definitionsKey, NO_DEFINITIONS, parseStoredDefinitions } from '@slotstream/protocol'
import { bucketHistory, type Log, type Nats, parseEntry } from '@slotstream/runtime'
import type { FillRecords } from '../fill/fill-records.js'
import type { SitesDefinitions } from './compiled-definitions.js'
import { type SiteDefinitions, watchDefinitions } from './watch-definitions.js'

export interface ServedDefinitionsDeps {
  nats: Nats
  /** The bucket `definitions`. */
  bucket: KV
  definitions: SitesDefinitions
  records: Pick<FillRecords, 'everywhere'>
  /** Latest revision of built-in features; 0: they were there from the start. */
  builtIn: number
  /** Returns the generation of profiles that answers. */
  generation: () => number
  log: Log
}

/** The definitions of sites as they are served: a feature that is declared anew replaces the former one at once. */
export interface ServedDefinitions {
  /** Looks again at how far the history of a site's features is counted, or of all sites'. */
  refresh(siteId?: string): void
  stop(): void
}

/**
 * Follows what sites declare. Until the history of a site's features is counted in all partitions, those that it
 * declared before are counted and served as well.
 *
 * @param onChange called with each site whose features are others now, and the revision that they had
 * @returns when the present state is in effect
 */
export async function serveDefinitions(
  { nats, bucket, definitions, records, builtIn, generation, log }: ServedDefinitionsDeps,
  onChange: (siteId: string, formerRevision: number) => void,
): Promise<ServedDefinitions> {
  const latest = new Map<string, SiteDefinitions>()
  /** Sets of features that may be served, by site and revision. */
  const served = new Map<string, Map<number, DefinitionSet<'features'>>>()
  const reading = new Map<string, Promise<void>>()
  /** Definitions in effect, by site. */
  const inEffect = new Map<string, { sets: SiteDefinitions; filledTo: number }>()

  function take(siteId: string, sets: SiteDefinitions): void {
    latest.set(siteId, sets)
    knownOf(siteId).set(sets.features.revision, sets.features)
    refresh(siteId)
  }

  /** Returns the revision of a site's features: that of its set, or of built-in ones that came later. */
  const latestOf = ({ features }: SiteDefinitions) => Math.max(features.revision, builtIn)

  function knownOf(siteId: string): Map<number, DefinitionSet<'features'>> {
    const ofSite = served.get(siteId) ?? new Map([[0, NO_DEFINITIONS]])
    served.set(siteId, ofSite)
    return ofSite
  }

  function refresh(siteId: string): void {
    const sets = latest.get(siteId)
    if (!sets) return
    const filledTo = records.everywhere(generation(), siteId)
    const current = inEffect.get(siteId)
    if (current?.sets === sets && current.filledTo === filledTo) return
    const isFilled = filledTo >= latestOf(sets)
    const former = filledTo >= sets.features.revision ? sets.features : knownOf(siteId).get(filledTo)
    // What is in effect stays until it is known what was before.
    if (!isFilled && !former) {
      readFormer(siteId, filledTo)
      return
    }
    inEffect.set(siteId, { sets, filledTo })
    const before = definitions.of(siteId).features.revision
    definitions.set(siteId, sets, isFilled ? undefined : { former: former!, filledTo })
    for (const revision of knownOf(siteId).keys())
      if (revision > 0 && revision < filledTo && revision !== sets.features.revision) knownOf(siteId).delete(revision)
    onChange(siteId, before)
  }

  function readFormer(siteId: string, revision: number): void {
    if (reading.has(siteId)) return
    const read = readAsOf(siteId, revision)
      .catch(error => {
        log.warn({ err: error, siteId, revision }, 'the former features of a site cannot be read')
        return NO_DEFINITIONS
      })
      .then(set => {
        reading.delete(siteId)
        knownOf(siteId).set(revision, set)
        refresh(siteId)
      })
    reading.set(siteId, read)
  }

  /** Reads the set that a site had as of a revision; an empty one where it is not there any more. */
  async function readAsOf(siteId: string, latest: number): Promise<DefinitionSet<'features'>> {
    const key = definitionsKey(siteId, 'features')
    const revisions = (await bucketHistory(bucket, key)).map(each => each.revision).filter(each => each <= latest)
    const revision = Math.max(0, ...revisions)
    const entry = revision > 0 ? await bucket.get(key, { revision }) : null
    if (entry?.operation !== 'PUT') return NO_DEFINITIONS
    const parsed = parseEntry(entry, raw => parseStoredDefinitions('features', raw))
    return parsed.ok ? { revision, at: entry.created.toISOString(), ...parsed.value } : NO_DEFINITIONS
  }

  const watch = await watchDefinitions(nats, bucket, take, log)
  while (reading.size > 0) await Promise.all(reading.values())
  return {
    refresh(siteId) {
      for (const each of siteId === undefined ? latest.keys() : [siteId]) refresh(each)
    },
    stop: watch.stop,
  }
}
