import { ITEM_POLICIES, type ItemModel, type ItemPolicy } from '@slotstream/core'
import { type Installation, type Log, type Metrics, type Nats, repeat } from '@slotstream/runtime'
import { loadMetrics } from './metrics.js'
import { shareMemory } from './share-memory.js'
import { createItemStore, type ItemStore } from './stored/item-store.js'
import type { ItemManifest } from './stored/manifest.js'
import { bytesOf } from './stored/packed-items.js'

/** Time between two looks at whether there are other matrices, in milliseconds. */
const LOOK_MS = 2_000

/** Matrices of items in memory, which follow the bucket. */
export interface ItemModels {
  /** Returns the matrix of a site's items that a policy ranks by; undefined: there is none. */
  itemsOf(siteId: string, type: ItemPolicy): ItemModel | undefined
  stop(): Promise<void>
}

export interface ItemModelsDeps {
  nats: Nats
  installation: Pick<Installation, 'buckets'>
  metrics: Metrics
  log: Log
  /** Bytes that they may take. */
  maxBytes: number
}

/** Follows the matrices of items, in the background: nothing waits for them. */
export function loadItemModels({ nats, installation, metrics, log, maxBytes }: ItemModelsDeps): ItemModels {
  const store = createItemStore(nats, installation.buckets.itemModels, log)
  const loader = createItemLoader({ store, metrics: loadMetrics(metrics), log, maxBytes })
  const ending = new AbortController()
  const looking = repeat(loader.look, LOOK_MS, ending.signal, error =>
    log.warn({ err: error }, 'matrices of items could not be read, trying again: those before stay'),
  )
  return {
    itemsOf: loader.itemsOf,
    async stop() {
      ending.abort()
      await looking
    },
  }
}

/** A matrix that is in memory, and the fit that it is of. */
interface Loaded {
  id: string
  model: ItemModel & { asOf: number }
}

/** Reason why a matrix is not loaded. */
type Refusal = 'damaged' | 'memory'

export interface ItemLoaderDeps {
  store: Pick<ItemStore, 'version' | 'readManifests' | 'readMatrix'>
  metrics: ReturnType<typeof loadMetrics>
  log: Log
  maxBytes: number
}

/** Creates what loads matrices as manifests name others, and forgets those that none names any more. */
export function createItemLoader({ store, metrics, log, maxBytes }: ItemLoaderDeps) {
  const loaded = new Map<string, Loaded>()
  /** Matrices that are not loaded, by the same key: the fit of each, and why. */
  const refused = new Map<string, { id: string; reason: Refusal }>()
  let version: number | undefined

  const bytes = () => [...loaded.values()].reduce((sum, { model }) => sum + bytesOf(model), 0)

  function refuse(key: string, manifest: ItemManifest, reason: Refusal, facts: object): void {
    refused.set(key, { id: manifest.id, reason })
    metrics.refused.inc({ reason })
    const why =
      reason === 'memory'
        ? 'there is no room for it, and its site has its part: raise ITEM_MODELS_MEMORY_MB'
        : 'it is not whole'
    log.error({ ...facts, fit: manifest.id }, `a matrix of items is not loaded, ${why}`)
  }

  async function load(siteId: string, manifest: ItemManifest, type: ItemPolicy): Promise<void> {
    const key = keyOf(siteId, type)
    const before = loaded.get(key)
    if (before?.id === manifest.id || refused.get(key)?.id === manifest.id) return
    const facts = { siteId, policy: type }
    const model = await store.readMatrix(siteId, manifest, type)
    if (model?.size !== manifest.items) {
      // Another fit may have taken its place meanwhile.
      const { id } = (await store.readManifests()).get(siteId) ?? {}
      if (id === manifest.id) refuse(key, manifest, 'damaged', facts)
      return
    }
    loaded.set(key, { id: manifest.id, model: { ...model, asOf: manifest.at } })
    refused.delete(key)
    log.info({ ...facts, items: model.size, browsers: manifest.browsers }, 'loaded a matrix of items')
  }

  /** Unloads what there is no room for, and tells it once, until there is. */
  function refuseRoom({ key, siteId, type, manifest }: Named): void {
    loaded.delete(key)
    if (refused.get(key)?.reason === 'memory') return
    refuse(key, manifest, 'memory', { siteId, policy: type, bytes: bytesOf({ size: manifest.items }) })
  }

  function note(): void {
    metrics.models.set(loaded.size)
    metrics.bytes.set(bytes())
    const oldest = Math.min(...[...loaded.values()].map(({ model }) => model.asOf))
    metrics.age.set(loaded.size > 0 ? (Date.now() - oldest) / 1_000 : 0)
  }

  return {
    itemsOf: (siteId: string, type: ItemPolicy) => loaded.get(keyOf(siteId, type))?.model,
    /** Loads what has changed since the last look. */
    async look(): Promise<void> {
      const newest = await store.version()
      if (newest !== version) {
        const manifests = await store.readManifests()
        const named = namedIn(manifests)
        const keys = new Set(named.map(({ key }) => key))
        for (const models of [loaded, refused])
          for (const key of [...models.keys()]) if (!keys.has(key)) models.delete(key)
        const matrices = named.map(({ key, siteId, manifest: { items } }) => ({
          ...{ key, siteId },
          bytes: bytesOf({ size: items }),
        }))
        const granted = shareMemory(matrices, maxBytes)
        // What has to leave does so first: the others take its room.
        for (const each of named) if (!granted.has(each.key)) refuseRoom(each)
        for (const { key, siteId, manifest, type } of named) if (granted.has(key)) await load(siteId, manifest, type)
        version = newest
      }
      note()
    },
  }
}

/** A matrix that a manifest names. */
interface Named {
  key: string
  siteId: string
  type: ItemPolicy
  manifest: ItemManifest
}

function namedIn(manifests: ReadonlyMap<string, ItemManifest>): Named[] {
  return [...manifests].flatMap(([siteId, manifest]) =>
    ITEM_POLICIES.filter(type => manifest.matrices[type]).map(type => ({
      ...{ key: keyOf(siteId, type), siteId, type, manifest },
    })),
  )
}

function keyOf(siteId: string, type: ItemPolicy): string {
  return `${siteId} ${type}`
}
