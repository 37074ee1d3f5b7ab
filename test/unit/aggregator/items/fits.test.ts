import type { ItemPolicy } from '@slotstream/core'
import { createLog, createMetrics } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { chooseItems } from '#aggregator/items/fit/choose-items.js'
import type { FitRequest, FittedItems } from '#aggregator/items/fit/fit-items.js'
import { createFits } from '#aggregator/items/keep-item-models.js'
import { createItemLoader } from '#aggregator/items/load-item-models.js'
import { fitMetrics, loadMetrics } from '#aggregator/items/metrics.js'
import { type MatrixMemory, shareMemory } from '#aggregator/items/share-memory.js'
import { type ItemManifest, parseItemManifest } from '#aggregator/items/stored/manifest.js'
import { bytesOf } from '#aggregator/items/stored/packed-items.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const log = createLog('test')
log.level = 'silent'

function manifestOf(at: number, policies: ItemPolicy[], items = 2): ItemManifest {
  const stored = { chunks: 1, sha256: 'a'.repeat(64) }
  const matrices = items > 0 ? Object.fromEntries(policies.map(type => [type, stored])) : {}
  return { version: 1, id: `fit-${at}`, at, browsers: items, items, policies, matrices }
}

/** Fits without ClickHouse and NATS, with a clock that is set by hand. */
function start() {
  const world = {
    now: 1_000 * HOUR,
    items: 2,
    owns: true,
    fails: false,
    manifests: new Map<string, ItemManifest>(),
    asked: [] as FitRequest[],
  }
  const fits = createFits({
    store: {
      readManifests: async () => new Map(world.manifests),
      async write(siteId, { at, policies, items }) {
        const manifest = manifestOf(at, policies, items)
        world.manifests.set(siteId, manifest)
        return manifest
      },
      remove: async siteId => void world.manifests.delete(siteId),
    },
    everyMs: HOUR,
    async fit(question): Promise<FittedItems> {
      world.asked.push(question)
      if (world.fails) throw new Error('ClickHouse is down')
      return { browsers: 60, items: world.items, chunks: [] }
    },
    isOwner: async () => world.owns,
    metrics: fitMetrics(createMetrics()),
    log,
    now: () => world.now,
  })
  /** Looks after some time; returns what was fitted. */
  async function look(needed: Record<string, ItemPolicy[]>, afterMs = 0) {
    world.now += afterMs
    await fits.look(new Map(Object.entries(needed)), new AbortController().signal)
    return world.asked.splice(0).map(({ siteId, policies }) => `${siteId} ${policies}`)
  }
  return { world, look }
}

describe('matrices of items are fitted', () => {
  it('at once where there are none, then at their cadence, and where a policy has none yet', async () => {
    const { look } = start()
    expect(await look({})).toEqual([])
    expect(await look({ shop: ['knn'] })).toEqual(['shop knn'])
    expect(await look({ shop: ['knn'] }, HOUR - 1)).toEqual([])
    expect(await look({ shop: ['knn'] }, 1)).toEqual(['shop knn'])
    expect(await look({ shop: ['ease', 'knn'], other: ['covisitation'] }, 1)).toEqual([
      'shop ease,knn',
      'other covisitation',
    ])
    // One less needs no other matrix.
    expect(await look({ shop: ['ease'], other: ['covisitation'] }, MINUTE)).toEqual([])
  })

  it('again after a minute where there was nothing to count, or ClickHouse did not answer', async () => {
    const { world, look } = start()
    world.items = 0
    expect(await look({ shop: ['knn'] })).toEqual(['shop knn'])
    expect(await look({ shop: ['knn'] }, MINUTE - 1)).toEqual([])
    world.fails = true
    expect(await look({ shop: ['knn'] }, 1)).toEqual(['shop knn'])
    expect(await look({ shop: ['knn'] }, MINUTE - 1)).toEqual([])
    world.fails = false
    world.items = 2
    expect(await look({ shop: ['knn'] }, 1)).toEqual(['shop knn'])
    expect(await look({ shop: ['knn'] }, MINUTE)).toEqual([])
  })

  it('soon where the bucket was lost', async () => {
    const { world, look } = start()
    await look({ shop: ['knn'] })
    world.manifests.clear()
    expect(await look({ shop: ['knn'] }, MINUTE)).toEqual(['shop knn'])
  })

  it('by the process that holds the lease alone, which removes those that are no longer needed', async () => {
    const { world, look } = start()
    await look({ shop: ['knn'], other: ['knn'] })
    world.owns = false
    expect(await look({ shop: ['knn'] }, HOUR)).toEqual([])
    expect([...world.manifests.keys()]).toEqual(['shop', 'other'])
    world.owns = true
    expect(await look({ shop: ['knn'] })).toEqual(['shop knn'])
    expect([...world.manifests.keys()]).toEqual(['shop'])
  })
})

describe('matrices of items are loaded', () => {
  const SIZE = 2
  const model = (size = SIZE) => ({
    ids: new Map(Array.from({ length: size }, (_, index) => [`p${index}`, index])),
    size,
    weights: new Float32Array(size ** 2),
    popularity: new Float64Array(size),
  })

  function loading(matrices: number) {
    const world = { version: 0, manifests: new Map<string, ItemManifest>(), damaged: new Set<string>(), reads: 0 }
    const metrics = createMetrics()
    const loader = createItemLoader({
      store: {
        version: async () => world.version,
        readManifests: async () => new Map(world.manifests),
        async readMatrix(siteId, manifest) {
          world.reads++
          return world.damaged.has(siteId) ? undefined : model(manifest.items)
        },
      },
      metrics: loadMetrics(metrics),
      log,
      maxBytes: matrices * bytesOf({ size: SIZE }),
    })
    const put = async (siteId: string, manifest?: ItemManifest) => {
      if (manifest) world.manifests.set(siteId, manifest)
      else world.manifests.delete(siteId)
      world.version++
      await loader.look()
    }
    return { world, loader, put, metrics }
  }

  it('as manifests name them, each once, and leave with them', async () => {
    const { world, loader, put } = loading(8)
    await put('shop', manifestOf(1, ['knn']))
    const first = loader.itemsOf('shop', 'knn')
    expect(first?.size).toBe(SIZE)
    expect([loader.itemsOf('shop', 'ease'), loader.itemsOf('other', 'knn')]).toEqual([undefined, undefined])
    await put('other', manifestOf(1, ['ease']))
    await loader.look()
    expect(world.reads).toBe(2)
    expect(loader.itemsOf('shop', 'knn')).toBe(first)
    await put('shop', manifestOf(2, ['knn']))
    expect(loader.itemsOf('shop', 'knn')).not.toBe(first)
    await put('shop')
    expect(loader.itemsOf('shop', 'knn')).toBeUndefined()
    expect(loader.itemsOf('other', 'ease')).toBeDefined()
  })

  it('only whole: where one is damaged, the one before stays', async () => {
    const { world, loader, put, metrics } = loading(8)
    await put('shop', manifestOf(1, ['knn']))
    const before = loader.itemsOf('shop', 'knn')
    world.damaged.add('shop')
    await put('shop', manifestOf(2, ['knn']))
    expect(loader.itemsOf('shop', 'knn')).toBe(before)
    expect(await metrics.registry.metrics()).toContain('item_models_refused_total{reason="damaged"} 1')
    world.damaged.clear()
    await put('shop', manifestOf(3, ['knn']))
    expect(loader.itemsOf('shop', 'knn')).not.toBe(before)
  })

  it('as long as there is room, and later where room becomes free', async () => {
    const { loader, put, metrics } = loading(2)
    await put('a', manifestOf(1, ['covisitation', 'knn']))
    await put('b', manifestOf(1, ['knn']))
    // Each site has its part, whichever came first.
    const sizes = () =>
      [['a', 'covisitation'] as const, ['a', 'knn'] as const, ['b', 'knn'] as const].map(
        ([siteId, type]) => loader.itemsOf(siteId, type)?.size,
      )
    expect(sizes()).toEqual([SIZE, undefined, SIZE])
    expect(await metrics.registry.metrics()).toContain('item_models_refused_total{reason="memory"} 1')
    // One that takes the place of another needs no more room.
    await put('a', manifestOf(2, ['covisitation', 'knn']))
    expect(await metrics.registry.metrics()).toContain('item_models_refused_total{reason="memory"} 1')
    await put('b')
    expect(sizes()).toEqual([SIZE, SIZE, undefined])
    await put('b', manifestOf(3, ['knn']))
    expect(sizes()).toEqual([SIZE, undefined, SIZE])
    expect(await metrics.registry.metrics()).toContain('item_models_refused_total{reason="memory"} 2')
  })
})

describe('the memory for matrices', () => {
  const ask = (siteId: string, ...sizes: number[]) =>
    sizes.map((bytes, at) => ({ key: `${siteId}${at}`, siteId, bytes }))

  it('is for all that fit, and when full an equal part for each site: the largest are rejected first', () => {
    const granted = (asked: MatrixMemory[], bytes: number) => [...shareMemory(asked, bytes)].sort()
    const all = [...ask('big', 40, 60), ...ask('mid', 30), ...ask('tiny', 2)]
    expect(granted(all, 132)).toEqual(['big0', 'big1', 'mid0', 'tiny0'])
    expect(granted(all, 131)).toEqual(['big0', 'mid0', 'tiny0'])
    expect(granted(all, 70)).toEqual(['mid0', 'tiny0'])
    expect(granted(all, 10)).toEqual(['tiny0'])
    expect(granted([], 10)).toEqual([])
    // In whichever order they came.
    for (const bytes of [131, 70, 10]) expect(granted([...all].reverse(), bytes)).toEqual(granted(all, bytes))
    const crowd = Array.from({ length: 10 }, (_, site) => ask(`s${site}`, 16, 16, 16)).flat()
    expect(granted([...crowd, ...ask('small', 1)], 256)).toContain('small0')
    expect(new Set(granted(crowd, 256).map(key => key.slice(0, -1))).size).toBe(10)
  })
})

describe('the items of a matrix', () => {
  it('are those of the catalog first; others only where three browsers had to do with them', () => {
    const found = [
      ...['tent', 'stove'].map(item => ({ item, browsers: 5 })),
      ...['lamp', 'mat'].map(item => ({ item, browsers: 3 })),
      { item: 'two', browsers: 2 },
      { item: 'new', browsers: 1 },
      ...Array.from({ length: 2_000 }, (_, number) => ({ item: `invented-${number}`, browsers: 1 })),
    ]
    const catalog = new Set(['mat', 'new', 'never'])
    expect([...chooseItems(found, catalog)]).toEqual([
      ['mat', 0],
      ['new', 1],
      ['tent', 2],
      ['stove', 3],
      ['lamp', 4],
    ])
    expect([...chooseItems(found, catalog, 3).keys()]).toEqual(['mat', 'new', 'tent'])
  })
})

describe('a manifest of matrices', () => {
  it('is what it says, or none', () => {
    const good = manifestOf(1, ['ease', 'knn'])
    expect(parseItemManifest(JSON.parse(JSON.stringify(good)))).toEqual({ ok: true, value: good })
    const stored = { chunks: 1, sha256: 'a'.repeat(64) }
    const broken = [
      null,
      [],
      { ...good, version: 2 },
      { ...good, id: 'a.b' },
      { ...good, at: -1 },
      { ...good, browsers: 0.5 },
      { ...good, items: 2_001 },
      { ...good, policies: ['fixed'] },
      { ...good, matrices: { fixed: stored } },
      { ...good, matrices: { knn: { ...stored, chunks: 65 } } },
      { ...good, matrices: { knn: { ...stored, sha256: 'A' } } },
    ]
    for (const raw of broken) expect([raw, parseItemManifest(raw).ok]).toEqual([raw, false])
  })
})
