import type { KV } from '@nats-io/kv'
import type { Log } from '@slotstream/runtime'
import { type Change, parseChanges } from './changes.js'
import { type CatalogRevision, readHead, type StoredHead } from './head.js'
import { isAsTarget, type LiveItems } from './live-items.js'
import type { Values } from './values.js'
import { inWaves } from './waves.js'

/** Brings what is served to the revision that the head has. */
export interface Completion {
  /** Completes a revision that a collector stored and could not finish. Resolves to the head. */
  settle(siteId: string): Promise<StoredHead>
  /**
   * Puts the items of a revision, then notes that they are there.
   *
   * @param headSeq of the head that has the revision
   * @param seqs by which the items can be replaced at once, in the order of the changes. Default: they are read
   */
  complete(
    siteId: string,
    changes: readonly Change[],
    headSeq: number,
    revision: Pick<CatalogRevision, 'revision' | 'at'>,
    seqs?: readonly number[],
  ): Promise<void>
}

/** Order of the changes of a revision: a slot that is there finds what it can show. */
const STEPS: ((change: Change) => boolean)[] = [
  ({ kind, after }) => kind === 'content' && after !== undefined,
  ({ kind, after }) => kind === 'slot' && after !== undefined,
  ({ kind, after }) => kind === 'slot' && after === undefined,
  ({ kind, after }) => kind === 'content' && after === undefined,
]

/** Creates it over both buckets. Several collectors may complete a revision at the same time. */
export function createCompletion(bucket: KV, live: LiveItems, values: Values, log: Log): Completion {
  async function completeOne(siteId: string, change: Change, headSeq: number, seq: number | undefined): Promise<void> {
    if (seq !== undefined && (await live.write(siteId, change, seq))) return
    for (;;) {
      const item = await live.read(siteId, change.kind, change.id)
      if (isAsTarget(item, change)) return
      // A later revision was stored, which happens only when all of this one was there.
      if ((await readHead(bucket, siteId)).seq !== headSeq) return
      if (await live.write(siteId, change, item.seq)) return
    }
  }

  const complete: Completion['complete'] = async (siteId, changes, headSeq, { revision, at }, seqs) => {
    const steps = changes.map((change, index) => ({ change, seq: seqs?.[index] }))
    for (const isFit of STEPS)
      await inWaves(
        steps.filter(({ change }) => isFit(change)),
        ({ change, seq }) => completeOne(siteId, change, headSeq, seq),
      )
    await live.publish(siteId, { revision, at })
  }

  return {
    complete,
    async settle(siteId) {
      const head = await readHead(bucket, siteId)
      const [latest] = head.history
      const revision = (await live.published(siteId)).value?.revision ?? 0
      // Where the head can't be read, its number goes on from there.
      if (head.isNew) return { ...head, revision }
      if (latest === undefined || revision >= latest.revision) return head
      const changes = parseChanges(await values.read(siteId, latest.value))
      // What can't be read can't be completed, and must not keep the catalog from being changed.
      if (!changes) log.error({ siteId, revision: latest.revision }, 'the changes of a catalog cannot be read')
      await complete(siteId, changes ?? [], head.seq, latest)
      return head
    },
  }
}
