import type { KV } from '@nats-io/kv'
import { type Check, isCount, isObject, isText } from '@slotstream/protocol'
import { readValue, replaceValue } from '@slotstream/runtime'
import { isValueRef, type ValueRef } from './values.js'

/** Revisions of a catalog that are kept, and the bytes that their changes may take as they are stored. */
export const MAX_REVISIONS = 50
const MAX_HISTORY_BYTES = 64 * 1024 * 1024

/** A revision of a site's catalog. */
export interface CatalogRevision {
  revision: number
  /** When it was stored, ISO 8601. */
  at: string
  /** How many slots and contents it has. */
  slots: number
  content: number
  /** How many items were added, changed and removed since the revision before. */
  added: number
  changed: number
  removed: number
  /** The first of them, a line each. */
  changes: string[]
  /** Revision that it has the content of once more. Absent: it is no rollback */
  rollbackTo?: number
  /** All that changed since the revision before: a list of `Change`. */
  value: ValueRef
}

/** State of a site's catalog as a whole. It is replaced with each change, before the items are. */
export interface CatalogHead {
  /** Grows with each change; 0: there never was one. */
  revision: number
  slots: number
  content: number
  /** Regular expressions in its conditions. */
  expressions: number
  /** The revisions that are kept, the newest first. */
  history: CatalogRevision[]
}

/** A head with the sequence to replace it by; `isNew`: there was none, and its counts are not those of the catalog. */
export interface StoredHead extends CatalogHead {
  seq: number
  isNew: boolean
}

/** Adds a revision to a head; those that are too many or take too much are left out. */
export function withRevision(head: CatalogHead, latest: CatalogRevision, expressions: number): CatalogHead {
  const history: CatalogRevision[] = []
  let bytes = 0
  for (const revision of [latest, ...head.history].slice(0, MAX_REVISIONS)) {
    bytes += revision.value.bytes
    if (history.length > 0 && bytes > MAX_HISTORY_BYTES) break
    history.push(revision)
  }
  return { revision: latest.revision, slots: latest.slots, content: latest.content, expressions, history }
}

/** Returns the key of a site's head in the bucket `catalog_history`. */
export function headKey(siteId: string): string {
  return `${siteId}.head`
}

/** Resolves to the head of a site's catalog. */
export async function readHead(bucket: KV, siteId: string): Promise<StoredHead> {
  const { value, revision: seq } = await readValue(bucket, headKey(siteId), parseHead)
  const head = value ?? { revision: 0, slots: 0, content: 0, expressions: 0, history: [] }
  return { ...head, seq, isNew: !value }
}

/** Replaces a head if its sequence is still `after`. Resolves to the new one; undefined: it was not. */
export function writeHead(
  bucket: KV,
  siteId: string,
  { revision, slots, content, expressions, history }: CatalogHead,
  after: number,
): Promise<number | undefined> {
  const value: CatalogHead = { revision, slots, content, expressions, history }
  return replaceValue(bucket, headKey(siteId), value, after)
}

function parseHead(raw: unknown): Check<CatalogHead> {
  const { revision, slots, content, expressions, history } = (raw ?? {}) as Partial<Record<keyof CatalogHead, unknown>>
  const isHead =
    [revision, slots, content, expressions].every(isCount) && Array.isArray(history) && history.every(isRevision)
  return isHead ? { ok: true, value: raw as CatalogHead } : { ok: false, reason: 'it is no head of a catalog' }
}

function isRevision(raw: unknown): boolean {
  if (!isObject(raw)) return false
  const { revision, at, slots, content, added, changed, removed, changes, value } = raw
  return (
    [revision, slots, content, added, changed, removed].every(isCount) &&
    isText(at) &&
    Array.isArray(changes) &&
    changes.every(isText) &&
    isValueRef(value)
  )
}
