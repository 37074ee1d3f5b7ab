import type { KV } from '@nats-io/kv'
import {
  type Check,
  type Content,
  checkContent,
  checkSlot,
  fromKeyToken,
  keyToken,
  type Slot,
} from '@slotstream/protocol'
import { bucketKeys, parseEntry } from '@slotstream/runtime'

/** Writes or reads at a time. */
const WAVE = 64

/** A site's slots and contents. */
export interface Catalog {
  slots: Slot[]
  content: Content[]
}

/** Slots and contents in the bucket `catalog`. */
export interface CatalogStore {
  read(siteId: string): Promise<Catalog>
  /** Ids of a site's slots. */
  slotIds(siteId: string): Promise<string[]>
  write(siteId: string, catalog: Catalog): Promise<void>
  /** Resolves to false when there is none. */
  remove(siteId: string, kind: CatalogKind, id: string): Promise<boolean>
  removeAll(siteId: string): Promise<void>
}

export type CatalogKind = 'slot' | 'content'

/** Creates the store over the bucket `catalog`. */
export function createCatalogStore(bucket: KV): CatalogStore {
  const keyOf = (siteId: string, kind: CatalogKind, id: string) => `${siteId}.${kind}.${keyToken(id)}`

  const keys = async (siteId: string, kind: string) => (await bucketKeys(bucket, `${siteId}.${kind}`)).sort()

  /** Entries that can't be used are left out, as the role that decides leaves them out. */
  async function readAll<T>(siteId: string, kind: CatalogKind, check: (raw: unknown) => Check<T>): Promise<T[]> {
    const entries = await inWaves(await keys(siteId, `${kind}.*`), key => bucket.get(key))
    return entries.flatMap(entry => {
      const checked = entry?.operation === 'PUT' ? parseEntry(entry, check) : undefined
      return checked?.ok ? [checked.value] : []
    })
  }

  return {
    async read(siteId) {
      const [slots, content] = await Promise.all([
        readAll(siteId, 'slot', checkSlot),
        readAll(siteId, 'content', checkContent),
      ])
      return { slots, content }
    },
    async slotIds(siteId) {
      return (await keys(siteId, 'slot.*')).map(key => fromKeyToken(key.slice(key.lastIndexOf('.') + 1)))
    },
    async write(siteId, { slots, content }) {
      // Contents first: a slot that is there finds what it can show.
      await inWaves(content, item => bucket.put(keyOf(siteId, 'content', item.id), JSON.stringify(item)))
      await inWaves(slots, slot => bucket.put(keyOf(siteId, 'slot', slot.id), JSON.stringify(slot)))
    },
    async remove(siteId, kind, id) {
      const key = keyOf(siteId, kind, id)
      const entry = await bucket.get(key)
      if (entry?.operation !== 'PUT') return false
      await bucket.delete(key)
      return true
    },
    async removeAll(siteId) {
      await inWaves(await keys(siteId, '>'), key => bucket.delete(key))
    },
  }
}

async function inWaves<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let first = 0; first < items.length; first += WAVE)
    results.push(...(await Promise.all(items.slice(first, first + WAVE).map(work))))
  return results
}
