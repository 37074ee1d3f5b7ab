import type { KV } from '@nats-io/kv'
import { type Check, isObject, isText } from '@slotstream/protocol'
import { ifUnchanged, readValue } from '@slotstream/runtime'
import { type Change, parseChanges } from './changes.js'
import { isValueRef, type ValueRef, type Values } from './values.js'

/** Changes of a site's catalog that are not published yet. */
export interface Draft {
  /** When it was stored, ISO 8601; '' where there is none. */
  at: string
  /** Each from what was there when it was drafted. Undefined: there is no draft */
  changes: Change[] | undefined
  /** Sequence to replace it by. */
  seq: number
}

/** The drafts of sites, in the bucket `catalog_history`. */
export interface Drafts {
  read(siteId: string): Promise<Draft>
  /** Replaces a draft if it is still the one that was read. Resolves to whether it was. */
  write(siteId: string, changes: readonly Change[], before: Draft): Promise<boolean>
  /** Removes a draft if it is still the one that was read. */
  remove(siteId: string, draft: Draft): Promise<void>
}

interface StoredDraft {
  at: string
  value: ValueRef
}

/** Creates the store over the bucket `catalog_history`. */
export function createDrafts(bucket: KV, values: Values): Drafts {
  const keyOf = (siteId: string) => `${siteId}.draft`

  const readStored = (siteId: string) => readValue(bucket, keyOf(siteId), parse)

  /** Resolves to whether the draft was still the one that was read, and removes what it named. */
  async function replace(siteId: string, seq: number, by: () => Promise<unknown>): Promise<boolean> {
    const draft = await readStored(siteId)
    if (draft.revision !== seq || !(await ifUnchanged(by))) return false
    if (draft.value) await values.remove(siteId, draft.value.value)
    return true
  }

  return {
    async read(siteId) {
      const { value: stored, revision: seq } = await readStored(siteId)
      if (!stored) return { at: '', changes: undefined, seq }
      return { at: stored.at, changes: parseChanges(await values.read(siteId, stored.value)), seq }
    },
    async write(siteId, changes, { seq }) {
      const value = await values.store(siteId, JSON.stringify(changes))
      const stored: StoredDraft = { at: new Date().toISOString(), value }
      const put = () => bucket.put(keyOf(siteId), JSON.stringify(stored), { previousSeq: seq })
      const isWritten = await replace(siteId, seq, put)
      if (!isWritten) await values.remove(siteId, value)
      return isWritten
    },
    async remove(siteId, { seq }) {
      await replace(siteId, seq, () => bucket.delete(keyOf(siteId), { previousSeq: seq }))
    },
  }
}

function parse(raw: unknown): Check<StoredDraft> {
  const isDraft = isObject(raw) && isText(raw.at) && isValueRef(raw.value)
  return isDraft ? { ok: true, value: raw as unknown as StoredDraft } : { ok: false, reason: 'it is no draft' }
}
