import { isDeepStrictEqual } from 'node:util'
import type { KV, KvEntry } from '@nats-io/kv'
import {
  type CatalogPublished,
  catalogPublishedKey,
  checkContent,
  checkSlot,
  fromKeyToken,
  keyToken,
  parseCatalogPublished,
} from '@slotstream/protocol'
import { bucketEntries, bucketKeys, ifUnchanged, parseEntry, readValue, replaceValue } from '@slotstream/runtime'
import type { CatalogItem, CatalogKind, Target } from './changes.js'

/** Value of a key of the bucket `catalog`. */
export interface LiveItem {
  /** Undefined: nothing, or nothing that can be used, as the role that decides has it. */
  value: CatalogItem | undefined
  /** Sequence to replace it by. */
  seq: number
  /** Whether there is something that can't be used. */
  isUnusable: boolean
}

/** Slots and contents that are served, in the bucket `catalog`. */
export interface LiveItems {
  read(siteId: string, kind: CatalogKind, id: string): Promise<LiveItem>
  /** Resolves to all of a kind, by id and in the order of keys. */
  readAll(siteId: string, kind: CatalogKind): Promise<Map<string, LiveItem>>
  ids(siteId: string, kind: CatalogKind): Promise<string[]>
  /** Puts an item, or deletes it, if its sequence is still `seq`. Resolves to whether it was. */
  write(siteId: string, target: Target, seq: number): Promise<boolean>
  /** Resolves to the revision whose items are all there. */
  published(siteId: string): Promise<{ value: CatalogPublished | undefined; seq: number }>
  /** Notes that all items of a revision are there, unless those of a later one are. */
  publish(siteId: string, published: CatalogPublished): Promise<void>
  removeAll(siteId: string): Promise<void>
}

const CHECKS = { slot: checkSlot, content: checkContent }

/** Creates the store over the bucket `catalog`. */
export function createLiveItems(bucket: KV): LiveItems {
  const keyOf = (siteId: string, kind: CatalogKind, id: string) => `${siteId}.${kind}.${keyToken(id)}`

  const itemOf = (kind: CatalogKind, entry: KvEntry | null): LiveItem => {
    const checked = entry?.operation === 'PUT' ? parseEntry<CatalogItem>(entry, CHECKS[kind]) : undefined
    return {
      value: checked?.ok ? checked.value : undefined,
      seq: entry?.revision ?? 0,
      isUnusable: checked?.ok === false,
    }
  }

  async function published(siteId: string) {
    const { value, revision: seq } = await readValue(bucket, catalogPublishedKey(siteId), parseCatalogPublished)
    return { value, seq }
  }

  return {
    published,
    async read(siteId, kind, id) {
      return itemOf(kind, await bucket.get(keyOf(siteId, kind, id)))
    },
    async readAll(siteId, kind) {
      const entries = await bucketEntries(bucket, `${siteId}.${kind}.*`)
      const sorted = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))
      return new Map(sorted.map(entry => [idOf(entry.key), itemOf(kind, entry)]))
    },
    async ids(siteId, kind) {
      return (await bucketKeys(bucket, `${siteId}.${kind}.*`)).sort().map(idOf)
    },
    async write(siteId, { kind, id, after }, seq) {
      const key = keyOf(siteId, kind, id)
      if (after !== undefined) return (await replaceValue(bucket, key, after, seq)) !== undefined
      return (await ifUnchanged(() => bucket.delete(key, { previousSeq: seq }))) !== undefined
    },
    async publish(siteId, value) {
      for (;;) {
        const latest = await published(siteId)
        if (latest.value !== undefined && latest.value.revision >= value.revision) return
        if ((await replaceValue(bucket, catalogPublishedKey(siteId), value, latest.seq)) !== undefined) return
      }
    },
    async removeAll(siteId) {
      for (const key of await bucketKeys(bucket, `${siteId}.>`)) await bucket.delete(key)
    },
  }
}

/** Tells whether an item is as it is to be. */
export function isAsTarget({ value }: Pick<LiveItem, 'value'>, { after }: Target): boolean {
  return isDeepStrictEqual(value, after)
}

function idOf(key: string): string {
  return fromKeyToken(key.slice(key.lastIndexOf('.') + 1))
}
