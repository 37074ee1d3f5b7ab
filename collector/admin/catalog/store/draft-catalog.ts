import { Failure } from '../../../http/failure.js'
import {
  type ChangeCatalog,
  type Changed,
  type ChangeOptions,
  changedMeanwhile,
  type MakeTargets,
} from './change-catalog.js'
import { type Change, countsOf, joinChanges, type Target } from './changes.js'
import type { Completion } from './complete-revision.js'
import type { Drafts } from './drafts.js'
import { isAsTarget, type LiveItems } from './live-items.js'
import { type CatalogState, createState, withTargets } from './state.js'
import { inWaves } from './waves.js'

/** How often a draft is written again because another writer was quicker. */
const TRIES = 20

type Expected = Pick<ChangeOptions, 'expected'>

/** Changes that are gathered before they are published. */
export interface DraftCatalog {
  /** Resolves to the catalog as it is once the draft is published; undefined: there is no draft. */
  readDraft(siteId: string): Promise<CatalogState | undefined>
  /**
   * Adds to the draft what `make` says, given the catalog with the draft. Resolves to what the draft changes in all.
   */
  draft(siteId: string, make: MakeTargets, options?: Expected): Promise<Changed>
  /**
   * Publishes the draft.
   *
   * @param check is called with the catalog as it will be, and throws what keeps it from being published
   * @throws Failure `not_found` without one, `conflict` when an item of it was changed since
   */
  publish(
    siteId: string,
    check: (state: CatalogState, targets: readonly Target[]) => Promise<void>,
    options?: Expected,
  ): Promise<Changed>
  /** Resolves to whether there was a draft. */
  dropDraft(siteId: string): Promise<boolean>
}

/** Creates it over the store of drafts. */
export function createDraftCatalog(
  drafts: Drafts,
  live: LiveItems,
  completion: Completion,
  change: ChangeCatalog,
): DraftCatalog {
  return {
    async readDraft(siteId) {
      const { changes } = await drafts.read(siteId)
      if (changes === undefined) return undefined
      return withTargets(createState(siteId, live, await completion.settle(siteId)), changes)
    },
    async draft(siteId, make, { expected } = {}) {
      for (let left = TRIES; left > 0; left--) {
        const head = await completion.settle(siteId)
        if (expected !== undefined && expected !== head.revision) throw changedMeanwhile(head.revision)
        const draft = await drafts.read(siteId)
        const { changes: before = [] } = draft
        const published = createState(siteId, live, head)
        // From what is published now, also of an item that was drafted before: it may have been changed since.
        const later = await inWaves(await make(withTargets(published, before)), async ({ kind, id, after }) => ({
          ...{ kind, id, after },
          before: (await published.item(kind, id)).value,
        }))
        const changes = joinChanges(before, later)
        if (await drafts.write(siteId, changes, draft)) return { revision: head.revision, ...countsOf(changes) }
      }
      throw new Failure('conflict', 'the draft was changed meanwhile. Read it again and repeat your change')
    },
    async publish(siteId, check, options) {
      let draft = await drafts.read(siteId)
      const make: MakeTargets = async state => {
        draft = await drafts.read(siteId)
        if (draft.changes === undefined)
          throw new Failure('not_found', 'there is no draft: POST one with "draft": true')
        const targets = await withoutConflicts(state, draft.changes)
        await check(state, targets)
        return targets
      }
      const changed = await change(siteId, make, options)
      await drafts.remove(siteId, draft)
      return changed
    },
    async dropDraft(siteId) {
      const draft = await drafts.read(siteId)
      if (draft.changes !== undefined) await drafts.remove(siteId, draft)
      return draft.changes !== undefined
    },
  }
}

/**
 * Returns what is left to do of a draft.
 *
 * @throws Failure `conflict` where an item is neither as it was when it was drafted nor as it is to be
 */
async function withoutConflicts(state: CatalogState, changes: readonly Change[]): Promise<Target[]> {
  const targets: Target[] = []
  for (const change of changes) {
    const item = await state.item(change.kind, change.id)
    if (isAsTarget(item, change)) continue
    if (!isAsTarget(item, { ...change, after: change.before }))
      throw new Failure(
        'conflict',
        `${change.kind} ${change.id} was changed since it was drafted: draft it once more, or delete the draft`,
      )
    targets.push({ kind: change.kind, id: change.id, after: change.after })
  }
  return targets
}
