import { afterAll, beforeAll, expect, it } from 'vitest'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { warehouseTable } from '#aggregator/warehouse/tables/table.js'
import { createCatalogStore } from '#collector/admin/catalog/store/catalog-store.js'
import type { Target } from '#collector/admin/catalog/store/changes.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World

beforeAll(async () => {
  clickhouse = await startClickHouse()
  world = await createWorld(clickhouse)
})
afterAll(async () => {
  await world?.stop()
  await clickhouse?.stop()
})

interface Version {
  kind: string
  id: string
  price: number
  revision: number
  from: number
  to: number | null
}

const MILLIS = (column: string) => `toUnixTimestamp64Milli(${column})`
const versionsOf = async (siteId: string): Promise<Version[]> =>
  (
    await world.query<Record<keyof Version, string | null>>(
      `SELECT kind, id, JSONExtractUInt(definition, 'price') AS price, revision, ${MILLIS('valid_from')} AS from,
              ${MILLIS('valid_to')} AS to
       FROM slotstream.catalog_versions WHERE site_id = '${siteId}' ORDER BY kind, id, valid_from, revision`,
    )
  ).map(({ kind, id, price, revision, from, to }) => ({
    kind: kind!,
    id: id!,
    price: Number(price),
    revision: Number(revision),
    from: Number(from),
    to: to === null ? null : Number(to),
  }))

/** Changes a site's catalog as the collector does, each change a revision. */
function catalogOf(siteId: string) {
  const store = createCatalogStore(world.installation.buckets, world.log)
  const tent = (price: number): Target => ({
    kind: 'content',
    id: 'tent',
    after: { id: 'tent', slots: ['hero'], category: 'camp', payload: {}, price },
  })
  return {
    store,
    change: (...targets: Target[]) => store.change(siteId, async () => targets),
    hero: { kind: 'slot', id: 'hero', after: { id: 'hero', count: 1, holdout: 0 } } as Target,
    tent,
  }
}

it('has each version once, with its revision and the time in which it was served, through killed loaders', async () => {
  const { change, hero, tent, store } = catalogOf('shop')
  const table = warehouseTable(clickhouse.client, SPECS.catalog)
  const dying = world.load({
    spec: SPECS.catalog,
    table: {
      ...table,
      async insert(lines, token) {
        await table.insert(lines, token)
        return new Promise(() => {})
      },
    },
  })
  const before = Date.now()
  await change(hero, tent(10))
  await until('the first version', () => world.number('SELECT count() FROM slotstream.catalog_changes'), Boolean)
  // It was killed between its insert and the answer.
  dying.drop()
  await change(tent(12))
  await change({ kind: 'content', id: 'tent' })
  await change(tent(15))
  const loader = world.load({ spec: SPECS.catalog })
  const versions = await until(
    'the last version',
    () => versionsOf('shop'),
    found => found.some(({ price, revision }) => price === 15 && revision === 4),
  )
  expect(versions.map(({ kind, id, price, revision }) => [kind, id, price, revision])).toEqual([
    ['content', 'tent', 10, 1],
    ['content', 'tent', 12, 2],
    ['content', 'tent', 15, 4],
    ['slot', 'hero', 0, 1],
  ])
  const [first, second, third, slot] = versions as [Version, Version, Version, Version]
  expect(first.to).toBe(second.from)
  // It was gone for a while.
  expect(second.to).not.toBeNull()
  expect(second.to!).toBeLessThanOrEqual(third.from)
  expect([third.to, slot.to]).toEqual([null, null])
  for (const { from } of versions) expect(from).toBeGreaterThanOrEqual(before - 1_000)

  const [definition] = await world.query<{ definition: string }>(
    `SELECT definition FROM slotstream.catalog_versions WHERE site_id = 'shop' AND kind = 'content' AND valid_to IS NULL`,
  )
  expect([JSON.parse(definition!.definition)]).toEqual((await store.read('shop')).content)
  await loader.stop()
})

it('has the versions that came and went while nothing was loaded, and the catalog reads as ever', async () => {
  const { change, hero, tent, store } = catalogOf('away')
  await change(hero)
  for (let price = 1; price <= 10; price++) await change(tent(price))
  expect((await store.read('away')).content.map(({ price }) => price)).toEqual([10])
  world.load({ spec: SPECS.catalog })
  const versions = await until(
    'all versions',
    () => versionsOf('away'),
    found => found.some(({ price, revision }) => price === 10 && revision === 11),
  )
  expect(versions.filter(({ kind }) => kind === 'content').map(({ price }) => price)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ])
  await store.removeAll('away')
  await until(
    'nothing is served',
    () => versionsOf('away'),
    found => found.every(({ to }) => to !== null),
  )
})
