import type { KV } from '@nats-io/kv'
import type { Content, Slot } from '@slotstream/protocol'
import { bucketKeys, type Log } from '@slotstream/runtime'
import { type ChangeCatalog, type Changed, createChangeCatalog } from './change-catalog.js'
import { parseChanges, type Target, undoOf } from './changes.js'
import { createCompletion } from './complete-revision.js'
import { createDraftCatalog, type DraftCatalog } from './draft-catalog.js'
import { createDrafts } from './drafts.js'
import { type CatalogRevision, readHead, type StoredHead, writeHead } from './head.js'
import { createLiveItems } from './live-items.js'
import { type CatalogState, createState, usableOf, withTargets } from './state.js'
import { createValues, type Values, valuesPrefix } from './values.js'

/** A site's catalog as a whole, with its revision: 0 where there never was a change. */
export interface RevisedCatalog {
  revision: number
  slots: Slot[]
  content: Content[]
}

/** Slots and contents of sites in the buckets `catalog`, which is served, and `catalog_history`. */
export interface CatalogStore extends DraftCatalog {
  read(siteId: string): Promise<RevisedCatalog>
  /** Resolves to an earlier revision; undefined: it is not there, or not any more. */
  readRevision(siteId: string, revision: number): Promise<(RevisedCatalog & { at: string }) | undefined>
  /** Lists the revisions that are kept, the newest first. */
  history(siteId: string): Promise<Omit<CatalogRevision, 'value'>[]>
  /** Changes what is served. */
  change: ChangeCatalog
  /**
   * Stores the content of an earlier revision once more; undefined: it is not there.
   *
   * @param check is called with what it changes, and throws what keeps it from being stored
   */
  rollback(
    siteId: string,
    revision: number,
    check: (targets: readonly Target[]) => Promise<void>,
  ): Promise<Changed | undefined>
  /** Removes all of a site but the number of its latest revision. */
  removeAll(siteId: string): Promise<void>
}

/** Creates the store over both buckets. */
export function createCatalogStore(buckets: { catalog: KV; catalogHistory: KV }, log: Log): CatalogStore {
  const { catalogHistory: bucket } = buckets
  const live = createLiveItems(buckets.catalog)
  const values = createValues(bucket)
  const completion = createCompletion(bucket, live, values, log)
  const change = createChangeCatalog({ bucket, live, values, completion, log })

  return {
    ...createDraftCatalog(createDrafts(bucket, values), live, completion, change),
    change,
    async read(siteId) {
      return wholeOf(createState(siteId, live, await completion.settle(siteId)))
    },
    async readRevision(siteId, revision) {
      const head = await completion.settle(siteId)
      const undo = await undoTo(values, siteId, head, revision)
      if (undo === undefined) return undefined
      const { slots, content } = await wholeOf(withTargets(createState(siteId, live, head), undo))
      return { revision, at: head.history.find(entry => entry.revision === revision)!.at, slots, content }
    },
    async history(siteId) {
      const { history } = await readHead(bucket, siteId)
      return history.map(({ value: _inside, ...entry }) => entry)
    },
    async rollback(siteId, revision, check) {
      let isKept = true
      const undo = async ({ head }: CatalogState) => {
        const targets = await undoTo(values, siteId, head, revision)
        isKept = targets !== undefined
        if (targets) await check(targets)
        return targets ?? []
      }
      const changed = await change(siteId, undo, { rollbackTo: revision })
      return isKept ? changed : undefined
    },
    async removeAll(siteId) {
      await live.removeAll(siteId)
      const { seq, revision } = await readHead(bucket, siteId)
      for (const key of await bucketKeys(bucket, `${valuesPrefix(siteId)}.>`)) await bucket.purge(key)
      if ((await bucket.get(`${siteId}.draft`))?.operation === 'PUT') await bucket.purge(`${siteId}.draft`)
      // A revision that is remembered of the old site is none of a new one of the same name.
      const empty = { revision, slots: 0, content: 0, expressions: 0, history: [] }
      if (revision > 0) await writeHead(bucket, siteId, empty, seq)
    },
  }
}

/** Returns the catalog of a view. */
export async function wholeOf(state: CatalogState): Promise<RevisedCatalog> {
  const [slots, content] = await Promise.all([usableOf<Slot>(state, 'slot'), usableOf<Content>(state, 'content')])
  return { revision: state.head.revision, slots, content }
}

/** Resolves to what undoes all revisions after one; undefined: that one is not kept. */
async function undoTo(
  values: Values,
  siteId: string,
  head: StoredHead,
  revision: number,
): Promise<Target[] | undefined> {
  if (!head.history.some(entry => entry.revision === revision)) return undefined
  const later = []
  // One by one: each may be large.
  for (const entry of head.history.filter(each => each.revision > revision)) {
    const changes = parseChanges(await values.read(siteId, entry.value))
    if (!changes) return undefined
    later.push(changes)
  }
  return undoOf(later)
}
