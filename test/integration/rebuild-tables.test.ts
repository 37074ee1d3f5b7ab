import { isDeepStrictEqual } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { derivedTables, readViews } from '#aggregator/commands/rebuild/derived-tables.js'
import { rebuildTable } from '#aggregator/commands/rebuild/rebuild-table.js'
import { loadedTables } from '#aggregator/commands/rebuild/sources.js'
import { closeBarrier } from '#aggregator/commands/rebuild/write-barrier.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { until } from '../support/until.js'
import { type ClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World

setUpWarehouse(current => {
  ;({ clickhouse, world } = current)
})
beforeEach(async () => {
  for (const query of TABLES) await clickhouse.client.command({ query })
})

/** Two views into one table, from two sources, with columns in an order of their own; and a second table. */
const TABLES = [
  `CREATE TABLE slotstream.test_daily
   (site_id String, day Date, kind String, number SimpleAggregateFunction(sum, UInt64), people AggregateFunction(uniqExact, String))
   ENGINE = AggregatingMergeTree ORDER BY (site_id, day, kind)
   SETTINGS non_replicated_deduplication_window = 1000`,
  `CREATE MATERIALIZED VIEW slotstream.test_daily_events TO slotstream.test_daily AS
   SELECT uniqExactState(anonymous_id) AS people, count() AS number, 'event' AS kind, toDate(timestamp) AS day, site_id
   FROM slotstream.events GROUP BY site_id, day`,
  `CREATE MATERIALIZED VIEW slotstream.test_daily_decisions TO slotstream.test_daily AS
   SELECT site_id, toDate(timestamp) AS day, 'decision' AS kind, count() AS number, uniqExactState(anonymous_id) AS people
   FROM slotstream.decisions GROUP BY site_id, day`,
  `CREATE TABLE slotstream.test_names (site_id String, event String, events UInt64)
   ENGINE = SummingMergeTree ORDER BY (site_id, event) SETTINGS non_replicated_deduplication_window = 1000`,
  `CREATE MATERIALIZED VIEW slotstream.test_names_events TO slotstream.test_names AS
   SELECT site_id, event, count() AS events FROM slotstream.events GROUP BY site_id, event`,
]

const derived = async () => derivedTables(await readViews(clickhouse.client, ['events', 'decisions']))

async function rebuild(names: string[]) {
  const sources = loadedTables(world.installation, world.publisher)
  for (const table of await derived())
    if (names.includes(table.name)) await rebuildTable(clickhouse.client, table, sources)
}

const DAILY = `SELECT kind, sum(number) AS number, uniqExactMerge(people) AS people
               FROM slotstream.test_daily GROUP BY kind ORDER BY kind`
const DAILY_RECOUNT = `SELECT 'decision' AS kind, count() AS number, uniqExact(anonymous_id) AS people FROM slotstream.decisions
                       UNION ALL SELECT 'event', count(), uniqExact(anonymous_id) FROM slotstream.events`
const NAMES = 'SELECT event, sum(events) AS n FROM slotstream.test_names GROUP BY event ORDER BY event'
const NAMES_RECOUNT = 'SELECT event, count() AS n FROM slotstream.events GROUP BY event ORDER BY event'

/** A row is seen in its table a moment before the tables of the views have it. */
async function expectRecounts() {
  for (const [derived, recount] of [
    [DAILY, `SELECT * FROM (${DAILY_RECOUNT}) ORDER BY kind`],
    [NAMES, NAMES_RECOUNT],
  ] as const) {
    const expected = await world.query(recount)
    await until(
      'what a recount gives',
      () => world.query(derived),
      rows => isDeepStrictEqual(rows, expected),
    )
  }
}

/** Publishes events and decisions until it is stopped; resolves to how many there were of each. */
function publishing() {
  let stopped = false
  const done = (async () => {
    let count = 0
    for (; !stopped; count++) {
      const visitor = `v${count % 17}`
      await world.publish([stored({ anonymousId: visitor, event: `E${count % 5}` })])
      const now = new Date().toISOString()
      const decision = {
        decisionId: `d${count}`,
        timestamp: now,
        slotId: 'hero',
        anonymousId: visitor,
        policy: 'random',
        policyVersion: '1',
        outcome: 'empty',
        holdout: false,
        contentIds: [],
        propensities: [],
        position: 1,
        candidates: [],
        excluded: [],
        features: {},
        seed: 's',
      }
      const envelope = { siteId: 'demo', visitorId: visitor, receivedAt: now, decisions: [decision] }
      await world.nats.js.publish('decisions.0', JSON.stringify(envelope))
    }
    return count
  })()
  return {
    /** Resolves when so many more events than now are loaded. */
    async arrives(more: number) {
      const events = () => world.number('SELECT count() FROM slotstream.events')
      const wanted = (await events()) + more
      await until('more events', events, n => n >= wanted)
    },
    async stop() {
      stopped = true
      const count = await done
      for (const table of ['events', 'decisions'])
        await until(
          `all ${table}`,
          () => world.number(`SELECT count() FROM slotstream.${table}`),
          n => n === count,
        )
      return count
    },
  }
}

describe('rebuilding derived tables', () => {
  it('finds the tables that views fill from what is loaded', async () => {
    const tables = await derived()
    expect(tables.find(({ name }) => name === 'test_daily')?.feeds.map(({ view, source }) => [view, source])).toEqual(
      expect.arrayContaining([
        ['test_daily_events', 'events'],
        ['test_daily_decisions', 'decisions'],
      ]),
    )
    expect(tables.find(({ name }) => name === 'test_names')?.feeds).toHaveLength(1)
  })

  it('heals what was corrupted, while events keep arriving, to what a recount gives', async () => {
    world.load()
    world.load({ spec: SPECS.decisions })
    const publisher = publishing()
    for (let round = 0; round < 4; round++) {
      await publisher.arrives(25)
      if (round === 0) await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.test_daily' })
      await clickhouse.client.command({ query: "INSERT INTO slotstream.test_names VALUES ('demo', 'E1', 1000000)" })
      await rebuild(['test_daily', 'test_names'])
    }
    expect(await publisher.stop()).toBeGreaterThan(100)
    await expectRecounts()
    // And it goes on being filled, by the views there were.
    await world.publish([stored({ event: 'Later' })])
    await until(
      'the next row',
      () => world.number("SELECT countIf(event = 'Later') FROM slotstream.events"),
      n => n === 1,
    )
    await expectRecounts()
    const left = await world.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'slotstream' AND name LIKE '%rebuild%'",
    )
    expect(left).toEqual([])
  })

  it('works on an idle stream, and again when an earlier one was killed with its barrier closed', async () => {
    world.load()
    world.load({ spec: SPECS.decisions })
    const publisher = publishing()
    await publisher.arrives(25)
    await publisher.stop()
    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.test_names' })
    await clickhouse.client.command({
      query: `CREATE TABLE slotstream.test_names_rebuild AS slotstream.test_names`,
    })
    await clickhouse.client.command({ query: "INSERT INTO slotstream.test_names_rebuild VALUES ('demo', 'E1', 5)" })
    await closeBarrier(clickhouse.client, 'events', async () => [
      { base: 0, last: 1_000_000, complete: 0, announced: 0 },
    ])
    await rebuild(['test_names'])
    await expectRecounts()
  })

  it('works while nobody loads, when nothing is half done', async () => {
    const loader = world.load()
    await world.publish([stored({ event: 'E1' })])
    await until(
      'the row',
      () => world.number('SELECT count() FROM slotstream.events'),
      n => n === 1,
    )
    await loader.stop()
    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.test_names' })
    await rebuild(['test_names'])
    expect(await world.query(NAMES)).toEqual([{ event: 'E1', n: 1 }])
  })

  it('changes nothing when a block was begun and nobody finishes it', async () => {
    const loader = world.load({ table: world.tableWithoutAnswers() })
    await world.publish([stored({ event: 'E1' })])
    await until(
      'the row',
      () => world.number('SELECT sum(events) FROM slotstream.test_names'),
      n => n === 1,
    )
    loader.drop()
    await expect(rebuild(['test_names'])).rejects.toThrow('start the warehouse role and try again')
    expect(await world.query(NAMES)).toEqual([{ event: 'E1', n: 1 }])
    world.load()
    await world.publish([stored({ event: 'E1' })])
    await until(
      'the next row',
      () => world.number('SELECT sum(events) FROM slotstream.test_names'),
      n => n === 2,
    )
  })
})
