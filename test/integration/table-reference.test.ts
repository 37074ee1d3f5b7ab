import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeTables, descriptionOf, readDescriptions } from '#aggregator/warehouse/tables/describe-tables.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { applyRetention } from '#aggregator/warehouse/tables/retention.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

interface Column {
  table: string
  name: string
  type: string
  comment: string
}

let clickhouse: ClickHouse

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  await describeTables(clickhouse.client, await readDescriptions())
})
afterAll(() => clickhouse?.stop())

const read = async <T>(query: string) => (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<T>()

const columns = () =>
  read<Column>(
    `SELECT table, name, type, comment FROM system.columns WHERE database = 'slotstream' ORDER BY table, position`,
  )

const tables = () =>
  read<{ name: string; engine: string; comment: string }>(
    `SELECT name, engine, comment FROM system.tables WHERE database = 'slotstream' ORDER BY name`,
  )

it('says of every table and column what it means', async () => {
  const descriptions = await readDescriptions()
  const silent = (await tables()).filter(({ name }) => descriptionOf(descriptions, name, '') === '')
  expect([...silent, ...(await columns()).filter(({ comment }) => comment === '')]).toEqual([])
})

it('describes no table or column that there is not', async () => {
  const real = new Set((await columns()).flatMap(({ table, name }) => [`${table}.${name}`, `${table}.`]))
  const described = Object.entries(await readDescriptions()).flatMap(([table, names]) =>
    Object.keys(names).map(name => `${table}.${name}`),
  )
  expect(described.filter(name => !real.has(name))).toEqual([])
})

it('leaves the comments of tables to what says how long their rows are kept', async () => {
  const sites = new Map([['shop', { events: 30 }]])
  await applyRetention(clickhouse.client, sites)
  await describeTables(clickhouse.client, await readDescriptions())
  expect(await applyRetention(clickhouse.client, sites)).toEqual([])
  expect(await applyRetention(clickhouse.client, new Map())).toEqual([
    'events',
    'identifications',
    'money_events',
    'page_reports',
    'session_states',
    'sessionless_events',
    'slot_responses',
  ])
})

it('writes nothing where all is described', async () => {
  const asked: string[] = []
  await describeTables(clickhouse.client, await readDescriptions(), sql => {
    asked.push(sql)
    return sql
  })
  expect(asked).toEqual([])
})

// A stale page is written anew by `npx vitest run --project integration test/integration/table-reference.test.ts -u`.
it('is what docs/tables.md says', async () => {
  const all = await columns()
  const descriptions = await readDescriptions()
  const sections = (await tables()).map(({ name, engine }) => {
    const rows = all.filter(({ table }) => table === name)
    return [
      `## ${name}`,
      '',
      `${engine === 'View' ? 'View.' : 'Table.'} ${descriptionOf(descriptions, name, '')}`,
      '',
      '| column | type | meaning |',
      '|---|---|---|',
      ...rows.map(row => `| \`${row.name}\` | \`${shortType(row.type)}\` | ${cell(row.comment)} |`),
    ].join('\n')
  })
  const page = [
    '# Tables',
    '',
    'Every table, view and column of the database `slotstream`. The same descriptions are comments in the database, where',
    '`DESCRIBE TABLE slotstream.events` and SQL tools show them. Recipes: [SQL cookbook](sql.md).',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n')
  await expect(page).toMatchFileSnapshot('../../docs/tables.md')
})

/** The typed paths of a JSON column would fill the page; the cookbook names them. */
const shortType = (type: string) => cell(type.replace(/JSON\(.*\)/s, 'JSON'))

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
