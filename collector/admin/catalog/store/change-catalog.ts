import type { KV } from '@nats-io/kv'
import { countExpressions, MAX_CATALOG_EXPRESSIONS } from '@slotstream/core'
import { MAX_CATALOG_CONTENT, MAX_CATALOG_SLOTS } from '@slotstream/protocol'
import { type Log, pause } from '@slotstream/runtime'
import { Failure } from '../../../http/failure.js'
import { type Change, type ChangeCounts, countsOf, realChanges, summaryOf, type Target } from './changes.js'
import type { Completion } from './complete-revision.js'
import { type CatalogHead, type CatalogRevision, type StoredHead, withRevision, writeHead } from './head.js'
import type { LiveItems } from './live-items.js'
import { type CatalogState, createState } from './state.js'
import type { Values } from './values.js'
import { inWaves } from './waves.js'

/** How often a change is tried again because another one was quicker, and the longest pause before, in milliseconds. */
const TRIES = 50
const PAUSE_MS = 50

/**
 * Says which items are to be others, given the catalog as it is. It is asked again where another change was quicker.
 */
export type MakeTargets = (state: CatalogState) => Promise<readonly Target[]>

/** Conditions and notes of a change. */
export interface ChangeOptions {
  /** Revision that it is made to. Default: whichever there is */
  expected?: number
  /** Revision whose content it stores once more. */
  rollbackTo?: number
}

/** Result of a change: the revision in effect, and how many items it added, changed and removed. */
export interface Changed extends ChangeCounts {
  revision: number
}

/**
 * Changes a site's catalog as a whole: stores a change as a revision, then the items, then that they are there. Where
 * nothing is to be another one, nothing is stored.
 *
 * @throws Failure `conflict` when the revision is another one, `malformed` beyond the limits of a catalog
 */
export type ChangeCatalog = (siteId: string, make: MakeTargets, options?: ChangeOptions) => Promise<Changed>

interface ChangeDeps {
  /** The bucket `catalog_history`. */
  bucket: KV
  live: LiveItems
  values: Values
  completion: Completion
  log: Log
}

/**
 * Creates it. The head is replaced only by the writer who has read it, which orders all changes; a writer that finds an
 * unfinished revision finishes it first, so that a change is never built upon half of another.
 */
export function createChangeCatalog(deps: ChangeDeps): ChangeCatalog {
  return async (siteId, make, options = {}) => {
    for (let left = TRIES; left > 0; left--) {
      const changed = await tryOnce(deps, siteId, make, options)
      if (changed !== undefined) return changed
      await pause(Math.random() * PAUSE_MS)
    }
    throw changedMeanwhile()
  }
}

/** Resolves to undefined where another change was quicker. */
async function tryOnce(
  deps: ChangeDeps,
  siteId: string,
  make: MakeTargets,
  { expected, rollbackTo }: ChangeOptions,
): Promise<Changed | undefined> {
  const { bucket, live, values, completion } = deps
  const head = await completion.settle(siteId)
  if (expected !== undefined && expected !== head.revision) throw changedMeanwhile(head.revision)
  const state = createState(siteId, live, head)
  const reads = await inWaves(await make(state), async ({ kind, id, after }) => {
    const { value: before, seq, isUnusable } = await state.item(kind, id)
    // It is no part of the catalog, and so of no revision.
    if (isUnusable && after === undefined) await live.write(siteId, { kind, id }, seq)
    return { change: { kind, id, before, after } as Change, seq }
  })
  const changes = realChanges(reads.map(({ change }) => change))
  if (changes.length === 0) return { revision: head.revision, ...countsOf(changes) }
  const counts = await countsAfter(state, head, changes)
  const value = await values.store(siteId, JSON.stringify(changes))
  const latest: CatalogRevision = {
    revision: head.revision + 1,
    at: new Date().toISOString(),
    slots: counts.slots,
    content: counts.content,
    ...summaryOf(changes),
    ...(rollbackTo !== undefined && { rollbackTo }),
    value,
  }
  const next = withRevision(head, latest, counts.expressions)
  const headSeq = await writeHead(bucket, siteId, next, head.seq)
  if (headSeq === undefined) {
    await values.remove(siteId, value)
    return undefined
  }
  const seqs = new Map(reads.map(({ change, seq }) => [change, seq]))
  const seqsOfChanges = changes.map(change => seqs.get(change)!)
  await completion.complete(siteId, changes, headSeq, latest, seqsOfChanges)
  await forget(deps, siteId, head, next)
  return { revision: latest.revision, ...countsOf(changes) }
}

/** Removes the changes of revisions that are no longer kept. */
async function forget(
  { values, log }: ChangeDeps,
  siteId: string,
  before: CatalogHead,
  after: CatalogHead,
): Promise<void> {
  const revisions = new Set(after.history.map(({ revision }) => revision))
  for (const { revision, value } of before.history.filter(old => !revisions.has(old.revision)))
    await values.remove(siteId, value).catch(error => {
      log.warn({ err: error, siteId, revision }, 'an old revision of a catalog could not be removed')
    })
}

/** @throws Failure `malformed` beyond the limits */
async function countsAfter(state: CatalogState, head: StoredHead, changes: readonly Change[]) {
  const counts = head.isNew ? { ...(await state.counts()), expressions: 0 } : head
  const after = { slots: counts.slots, content: counts.content, expressions: counts.expressions }
  for (const { kind, before, after: item } of changes) {
    after[kind === 'slot' ? 'slots' : 'content'] += Number(item !== undefined) - Number(before !== undefined)
    after.expressions += countExpressions(item) - countExpressions(before)
  }
  refuseAbove(after.slots, MAX_CATALOG_SLOTS, 'slots')
  refuseAbove(after.content, MAX_CATALOG_CONTENT, 'contents')
  refuseAbove(after.expressions, MAX_CATALOG_EXPRESSIONS, 'regular expressions')
  // Where what is served was written by other means, an item may leave that was never counted.
  return {
    slots: Math.max(0, after.slots),
    content: Math.max(0, after.content),
    expressions: Math.max(0, after.expressions),
  }
}

function refuseAbove(count: number, most: number, what: string): void {
  if (count > most)
    throw new Failure('malformed', `nothing was stored: the catalog would have ${count} ${what}, ${most} are allowed`)
}

/** Returns the failure of a change that was made to another revision. */
export function changedMeanwhile(revision?: number): Failure {
  const now = revision === undefined ? '' : `: its revision is ${revision}`
  return new Failure('conflict', `the catalog was changed meanwhile${now}. Read it again and repeat your change`)
}
