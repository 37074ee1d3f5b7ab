import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'
import { FILL_GHOSTS, FILL_PERIODS, FILL_TROUBLE, PERIOD } from '../support/shop/fill-periods.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

let clickhouse: ClickHouse

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
})
afterAll(() => clickhouse?.stop())

const run = (query: string) => clickhouse.client.command({ query })

/** The views as they were before they read by days: they read everything, and say what is right. */
const PLAIN = ['derived_session_events', 'session_events', 'session_facts', 'sessions', 'page_views']

async function createPlainViews(): Promise<void> {
  await run('CREATE DATABASE plain')
  const statements = (await readMigrations())
    .filter(({ version }) => version === 16 || version === 17)
    .flatMap(({ sql }) => statementsOf(sql))
  for (const name of PLAIN) {
    const view = statements.find(statement => statement.includes(`CREATE VIEW IF NOT EXISTS slotstream.${name} AS`))
    await run(view!.replace(new RegExp(`\\bslotstream\\.(${PLAIN.join('|')})\\b`, 'g'), 'plain.$1'))
  }
}

describe('messages that came late, twice, over midnight, of several users and clients', () => {
  beforeAll(async () => {
    for (const query of FILL_TROUBLE) await run(query)
    await createPlainViews()
  })

  const SETS = ['messages', 'views', 'engaged', 'orders'].map(name => `arraySort(${name}) AS ${name}`).join(', ')

  it.each([
    ['session_events', 'message_id, session_id', 'timestamp'],
    ['session_facts', `* EXCEPT (messages, views, engaged, orders) APPLY toString, ${SETS}`, 'started_at'],
    ['sessions', '*', 'started_at'],
    ['page_views', '*', 'timestamp'],
  ])('are in %s what they are by reading everything, of all times and of two days', async (view, columns, time) => {
    const but = view === 'session_facts' ? columns.replace('EXCEPT (', 'EXCEPT (session_day, ') : columns
    for (const where of [
      'true',
      `toDate(${time}) IN ('2026-03-03', '2026-03-04')`,
      `${time} > '2026-03-05 01:00:00'`,
    ]) {
      const rows = async (database: string, shown: string) =>
        (
          await clickhouse.client.query({
            query: `SELECT formatRow('JSONEachRow', ${shown}) AS row FROM ${database}.${view} WHERE ${where} ORDER BY row`,
            format: 'JSONEachRow',
          })
        ).json<{ row: string }>()
      const expected = await rows('plain', columns)
      expect(expected.length).toBeGreaterThan(20)
      expect(await rows('slotstream', but)).toEqual(expected)
    }
  })
})

async function rowsRead(view: string, where: string, columns = '*'): Promise<number> {
  const result = await clickhouse.client.query({
    query: `SELECT count(), sum(cityHash64(tuple(${columns}))) FROM slotstream.${view} WHERE ${where}`,
    format: 'JSON',
    clickhouse_settings: { use_query_condition_cache: 0 },
  })
  return Number((await result.json()).statistics?.rows_read)
}

describe('a week of two months', () => {
  beforeAll(async () => {
    for (const query of FILL_PERIODS) await run(query)
  })

  it.each([
    ['sessions', 'started_at', 'timed'],
    ['page_views', 'timestamp', 'timed'],
    ['session_events', 'timestamp', 'timed'],
    ['person_events', 'timestamp', 'timed'],
    ['web_vitals', 'timestamp', 'timed'],
    ['sessions', 'started_at', 'sessionless'],
    ['page_views', 'timestamp', 'sessionless'],
    ['session_events', 'timestamp', 'sessionless'],
  ])('is read in proportion: %s by %s, of a site whose session ids are %s', async (view, time, siteId) => {
    const ofSite = `site_id = '${siteId}'`
    const all = await rowsRead(view, ofSite)
    const week = await rowsRead(view, `${ofSite} AND ${time} >= '${PERIOD.from}' AND ${time} < '${PERIOD.to}'`)
    // A ninth of the time; the rest is granules at both ends, and a row for each browser.
    expect(week / all).toBeLessThan(0.45)
  })
})

describe('a week of decisions that were held back', () => {
  beforeAll(async () => {
    for (const query of FILL_GHOSTS) await run(query)
  })

  it('is read in proportion, with what came of it', async () => {
    const week = `site_id = 'held' AND timestamp >= '${PERIOD.from}' AND timestamp < '${PERIOD.to}'`
    const columns = 'decision_id, content_ids, viewed, clicked'
    const all = await rowsRead('ghost_decisions', "site_id = 'held'", columns)
    expect((await rowsRead('ghost_decisions', week, columns)) / all).toBeLessThan(0.45)
    const counted = await clickhouse.client.query({
      query: `SELECT toFloat64(count()) AS all, toFloat64(sum(viewed)) AS viewed, toFloat64(sum(clicked)) AS clicked
        FROM slotstream.ghost_decisions WHERE ${week}`,
      format: 'JSONEachRow',
    })
    expect(await counted.json()).toEqual([{ all: 14_000, viewed: 14_000, clicked: 1_400 }])
  })
})
