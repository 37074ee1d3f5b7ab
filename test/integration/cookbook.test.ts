import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { loadShop } from '../support/shop/load.js'
import { generateShop, type Shop } from '../support/shop/shop.js'
import * as truth from '../support/shop/true-recipes.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const cookbook = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8')

let clickhouse: ClickHouse
let shop: Shop

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  // All of it lies in the periods of the recipes.
  shop = generateShop({ seed: 11, visitors: 300, now: Date.now(), days: 25 })
  await loadShop(clickhouse.client, shop)
})
afterAll(() => clickhouse?.stop())

/** The recipe under a heading of the cookbook. */
const recipeOf = (heading: string) =>
  new RegExp(`^#+ ${heading}\\n(?:(?!^#)[^])*?^\`\`\`sql\\n([^]*?)^\`\`\``, 'm').exec(cookbook)?.[1] ?? ''

const ask = async (heading: string) =>
  (
    await clickhouse.client.query({
      query: recipeOf(heading),
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    })
  ).json<Record<string, unknown>>()

describe('the recipes, over a generated shop', () => {
  it.each([
    ['Revenue by day', truth.revenueByDay],
    ['Channels', truth.channels],
    ['Attribution', truth.attribution],
    ['Funnel', truth.funnel],
    ['Retention', truth.retention],
    ['Lifetime value', truth.lifetimeValue],
    ['Paths', truth.paths],
    ['Products', truth.products],
  ])('give the truth: %s', async (heading, truthOf) => {
    const rows = truthOf(shop)
    expect(rows.length).toBeGreaterThan(3)
    expect(await ask(heading)).toEqual(rows)
  })

  it('give the truth: Lift of a period', async () => {
    const rows = await ask('Lift of a period')
    const expected = truth.lifts(shop)
    expect(expected.length).toBeGreaterThan(4)
    const rounded = (all: Record<string, unknown>[]) =>
      all.map(row =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? value.toFixed(9) : value]),
        ),
      )
    expect(rounded(rows)).toEqual(rounded(expected))
  })

  it('give the truth: Freshness', async () => {
    const asked = Date.now()
    const [row] = await ask('Freshness')
    const newest = truth.newest(shop)
    expect(row?.newest).toBe(newest.replace('T', ' ').replace('Z', ''))
    const age = (at: number) => Math.floor(at / 1000) - Math.floor(Date.parse(newest) / 1000)
    expect(row?.seconds_ago).toBeGreaterThanOrEqual(age(asked) - 1)
    expect(row?.seconds_ago).toBeLessThanOrEqual(age(Date.now()) + 1)
  })

  it('leave bots out where they count visitors', () => {
    const recipes = [...cookbook.matchAll(/^```sql\n(.*?)^```/gms)].map(match => match[1] as string)
    const withBots = recipes.filter(recipe => !/NOT bot|context\.bot\.reason IS NULL/.test(recipe))
    const ofVisitors = /FROM slotstream\.(person_events|session_events|sessions|page_views|delivery|web_vitals)\b/
    expect(withBots.filter(recipe => ofVisitors.test(recipe))).toEqual([])
    // How new a message is, one visitor, a signal's products, broken messages, and an imported log.
    expect(withBots.filter(recipe => recipe.includes('FROM slotstream.events'))).toHaveLength(5)
  })

  it('all name a site and a period', () => {
    const recipes = [...cookbook.matchAll(/^```sql\n(.*?)^```/gms)].map(match => match[1] as string)
    const withoutPeriod = recipes.filter(
      recipe => !/site_id = '/.test(recipe) || !/now\(\)|now64\(3\)|today\(\)/.test(recipe),
    )
    // A query of an analyst belongs to no site.
    expect(withoutPeriod.map(recipe => /FROM slotstream\w*\.\w+/.exec(recipe)?.[0])).toEqual([
      'FROM slotstream_log.query_log',
    ])
  })
})

it('give the truth: Catalog as it was', async () => {
  const shown = shop.decisions.flatMap(({ timestamp, contentIds }) =>
    contentIds.map(id => ({ id, at: Date.parse(timestamp) })),
  )
  const ids = [...new Set(shown.map(({ id }) => id))].sort()
  expect(ids.length).toBeGreaterThan(2)
  const times = shown.map(({ at }) => at).sort((a, b) => a - b)
  const [first, changed, gone] = [times[0]!, times[times.length >> 1]!, times[(3 * times.length) >> 2]!]
  // Each has another category and price from the middle on; the first one is removed later.
  const versions = ids.flatMap((id, place) => [
    { id, from: first, category: 'early', price: 10 as number | undefined },
    { id, from: changed, category: `late-${place % 2}`, price: place === 0 ? undefined : 20 },
    ...(place === 0 ? [{ id, from: gone, category: '', price: undefined }] : []),
  ])
  await clickhouse.client.insert({
    table: 'slotstream.catalog_changes',
    values: versions.map(({ id, from, category, price }, seq) => ({
      site_id: 'demo',
      kind: 'content',
      id,
      definition: category && JSON.stringify({ id, category, price }),
      deleted: category === '',
      stored_at: new Date(from).toISOString(),
      stream_seq: seq + 1,
    })),
    format: 'JSONEachRow',
    clickhouse_settings: { date_time_input_format: 'best_effort' },
  })
  const sums = new Map<string, { shown: number; prices: number[] }>()
  for (const { id, at } of shown) {
    const { category, price } = versions.findLast(version => version.id === id && version.from <= at)!
    const sum = sums.get(category) ?? { shown: 0, prices: [] }
    sums.set(category, { shown: sum.shown + 1, prices: price === undefined ? sum.prices : [...sum.prices, price] })
  }
  const mean = (prices: number[]) =>
    prices.length === 0 ? null : Number((prices.reduce((a, b) => a + b, 0) / prices.length).toFixed(2))
  const truth = [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(truth.length).toBe(4)
  expect(await ask('Catalog as it was')).toEqual(
    truth.map(([category, { shown, prices }]) => ({ category, shown, price: mean(prices) })),
  )
})

describe('the recipes of segments and features', () => {
  const DAY = 86_400_000
  const today = Math.floor(Date.now() / DAY) * DAY
  const iso = (ms: number) => new Date(ms).toISOString()
  const insert = (table: string, values: object[]) =>
    clickhouse.client.insert({
      table: `slotstream.${table}`,
      values,
      format: 'JSONEachRow',
      clickhouse_settings: { date_time_input_format: 'best_effort' },
    })

  it('count who was in a segment at the end of each day, however often its signals are inserted', async () => {
    // Entered and left, in days before today; `undefined`: is in it.
    const stays: [person: string, entered: number, left: number | undefined][] = [
      ['ann', 3, undefined],
      ['ben', 5, 2],
      ['cem', 1, 1],
    ]
    const at = (ago: number, hour: number) => iso(today - ago * DAY + hour * 3_600_000)
    const rows = stays.flatMap(([anonymous_id, entered, left], index) => {
      const row = (signal: string, timestamp: string, details: object, batch_index: number) => ({
        site_id: 'demo',
        signal,
        signal_id: `${anonymous_id} ${signal}`,
        anonymous_id,
        timestamp,
        original_timestamp: timestamp,
        received_at: timestamp,
        details: { segment: 'campers', ...details },
        stream_seq: 2 ** 40 + index,
        batch_index,
      })
      const since = at(entered, 1)
      return [
        row('segment_entered', since, {}, 0),
        ...(left === undefined ? [] : [row('segment_left', at(left, 2), { since, seconds: 1 }, 1)]),
      ]
    })
    await insert('detected_signals', rows)
    await insert('detected_signals', rows)
    const days = [...Array(30).keys()].reverse().flatMap(ago => {
      const persons = stays.filter(([, entered, left]) => entered >= ago && (left === undefined || left < ago)).length
      return persons > 0 ? [{ day: iso(today - ago * DAY).slice(0, 10), segment: 'campers', persons }] : []
    })
    expect(days.map(({ persons }) => persons)).toEqual([1, 1, 2, 1, 1, 1])
    expect(await ask('Segments')).toEqual(days)
  })

  it('say how a feature is distributed', async () => {
    const row = (anonymous_id: string, orders: string, stream_seq: number) => ({
      site_id: 'demo',
      visitor_id: `features-${anonymous_id}`,
      anonymous_id,
      features: {
        orders: { version: 'v1', value: orders },
        category_affinity: { version: 'v1', value: '{"camp":1.5}' },
      },
      stored_at: iso(today),
      stream_seq: 2 ** 41 + stream_seq,
    })
    await insert('profile_versions', [row('ann', '1', 1), row('ann', '2', 2), row('ben', '2', 3), row('cem', '1', 4)])
    expect(await ask('Features')).toEqual([
      { orders: 1, visitors: 1 },
      { orders: 2, visitors: 2 },
    ])
    const older = { how: 'identify', timestamp: iso(today), stream_seq: 2 ** 41, batch_index: 0 }
    await insert('identifications', [
      { site_id: 'demo', anonymous_id: 'ann', user_id: 'ann-of-shop', ...older },
      { site_id: 'demo', anonymous_id: 'ben', user_id: 'first', ...older },
      { site_id: 'demo', anonymous_id: 'ben', user_id: 'second', ...older },
    ])
    const ofPersons = await clickhouse.client.query({
      query: `SELECT person_id, anonymous_id, number, version, age_ms >= 0 AND age_ms < 3600000 * 48 AS is_of_now
        FROM slotstream.person_features WHERE feature = 'orders' AND anonymous_id IN ('ann', 'ben', 'cem')
        ORDER BY anonymous_id`,
      format: 'JSONEachRow',
    })
    const persons = (await ofPersons.json()) as { person_id: string }[]
    expect(persons.sort((a, b) => (a.person_id < b.person_id ? -1 : 1))).toEqual([
      { person_id: 'ann-of-shop', anonymous_id: 'ann', number: 2, version: 'v1', is_of_now: 1 },
      // A browser that several users share is a person by itself.
      { person_id: 'ben', anonymous_id: 'ben', number: 2, version: 'v1', is_of_now: 1 },
      { person_id: 'cem', anonymous_id: 'cem', number: 1, version: 'v1', is_of_now: 1 },
    ])
    const [strongest] = (await (
      await clickhouse.client.query({
        query: `SELECT key, value, number, version, at FROM slotstream.features WHERE key != '' LIMIT 1`,
        format: 'JSONEachRow',
      })
    ).json()) as object[]
    expect(strongest).toMatchObject({ key: 'camp', value: '1.5', number: 1.5, version: 'v1' })
  })
})
