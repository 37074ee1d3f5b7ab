import type { KV } from '@nats-io/kv'
import type { ItemModel, ItemPolicy } from '@slotstream/core'
import { BUCKETS, uuidv7 } from '@slotstream/protocol'
import {
  bucketEntries,
  bucketKeys,
  createSlices,
  hashOfChunks,
  type Log,
  type Nats,
  parseEntry,
  readChunks,
  removeKeys,
  skipEntry,
} from '@slotstream/runtime'
import type { FittedItems } from '../fit/fit-items.js'
import { type ItemManifest, parseItemManifest } from './manifest.js'
import { fromChunks } from './packed-items.js'

const MANIFEST = 'manifest'

/** Matrices of items, in the bucket `item_models`. */
export interface ItemStore {
  /** Returns what changes with each change of the bucket. */
  version(): Promise<number>
  /** Reads the manifests of all sites that have one. One that can't be used is logged, and none. */
  readManifests(): Promise<Map<string, ItemManifest>>
  /** Reads a matrix; undefined: it is not whole, or none. */
  readMatrix(siteId: string, manifest: ItemManifest, type: ItemPolicy): Promise<ItemModel | undefined>
  /**
   * Puts the matrices of a site in the place of those before: chunks first, then the manifest that makes them count, by
   * compare-and-set. Resolves to the manifest. @throws also where another process was faster
   */
  write(siteId: string, fitted: Fitted): Promise<ItemManifest>
  /** Removes all there is of a site. */
  remove(siteId: string): Promise<void>
}

type Fitted = FittedItems & Pick<ItemManifest, 'at' | 'policies'>

/** Creates the store. */
export function createItemStore(nats: Pick<Nats, 'manager'>, bucket: KV, log: Log): ItemStore {
  const removeChunks = (keys: readonly string[]) => removeKeys(nats, bucket, BUCKETS.itemModels, keys)

  async function chunksOf(siteId: string): Promise<string[]> {
    return (await bucketKeys(bucket, `${siteId}.>`)).filter(key => key !== manifestKey(siteId))
  }

  return {
    version: async () => (await bucket.status()).streamInfo.state.last_seq,
    async readManifests() {
      const manifests = new Map<string, ItemManifest>()
      for (const entry of await bucketEntries(bucket, manifestKey('*'))) {
        if (entry.operation !== 'PUT') continue
        const parsed = parseEntry(entry, parseItemManifest)
        if (parsed.ok) manifests.set(entry.key.slice(0, -MANIFEST.length - 1), parsed.value)
        else skipEntry(log, BUCKETS.itemModels, { key: entry.key, revision: entry.revision }, parsed.reason)
      }
      return manifests
    },
    async readMatrix(siteId, { id, matrices }, type) {
      const stored = matrices[type]
      if (!stored) return undefined
      const keys = keysOf(siteId, id, type, stored.chunks)
      const chunks = await readChunks(bucket, keys, stored.sha256)
      return chunks && fromChunks(chunks, createSlices())
    },
    async write(siteId, { at, browsers, items, policies, chunks }) {
      const revision = (await bucket.get(manifestKey(siteId)))?.revision ?? 0
      const old = await chunksOf(siteId)
      const manifest: ItemManifest = { version: 1, id: uuidv7(), at, browsers, items, policies, matrices: {} }
      const keys: string[] = []
      for (const [type, parts] of chunks) {
        const ofMatrix = keysOf(siteId, manifest.id, type, parts.length)
        for (const [number, part] of parts.entries()) await bucket.put(ofMatrix[number]!, part)
        keys.push(...ofMatrix)
        manifest.matrices[type] = { chunks: parts.length, sha256: hashOfChunks(parts) }
      }
      try {
        await bucket.put(manifestKey(siteId), JSON.stringify(manifest), { previousSeq: revision })
      } catch (error) {
        const entry = await bucket.get(manifestKey(siteId))
        const winner = entry?.operation === 'PUT' ? parseEntry(entry, parseItemManifest) : undefined
        // The answer alone may have been lost.
        if (!winner?.ok || winner.value.id !== manifest.id) {
          await removeChunks(keys)
          throw error
        }
      }
      await removeChunks(old)
      return manifest
    },
    async remove(siteId) {
      await bucket.delete(manifestKey(siteId))
      await removeChunks(await chunksOf(siteId))
    },
  }
}

function manifestKey(siteId: string): string {
  return `${siteId}.${MANIFEST}`
}

function keysOf(siteId: string, id: string, type: ItemPolicy, chunks: number): string[] {
  return Array.from({ length: chunks }, (_, number) => `${siteId}.${id}.${type}.${number}`)
}
