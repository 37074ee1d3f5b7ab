import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { hashPassword } from '#clickhouse/access/passwords.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { loadShop } from '../support/shop/load.js'
import type { ShopEvent } from '../support/shop/shop.js'
import { until } from '../support/until.js'

const cookbook = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8')
const RECIPES = [...cookbook.matchAll(/^```sql builder\n(.*?)^```/gms)].map(match => match[1] as string)

let folder: string
let running: Running
let writer: ClickHouseClient
let orders = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-marts-'))
  const bea = { role: 'builder', password: await hashPassword(PASSWORD), databases: ['marts'] }
  writeFileSync(join(folder, 'clickhouse-users.json'), JSON.stringify({ users: { bea } }), { mode: 0o600 })
  await copyMigratedTables(join(folder, 'clickhouse'))
  running = await start(join(folder, 'clickhouse'), { DATA_DIR: folder })
  writer = createClient({ url: running.url, username: 'slotstream', password: PASSWORD })
  await migrate(writer, await readMigrations())
  await load()
  await build('CREATE DATABASE IF NOT EXISTS marts')
  for (const recipe of RECIPES.slice(0, 2)) for (const sql of recipe.split(/;$/m)) if (sql.trim()) await build(sql)
})

afterAll(async () => {
  await writer?.close()
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

/** Loads one more order, as the warehouse does. */
async function load(): Promise<void> {
  const at = new Date(Date.now() - 60_000).toISOString()
  const message: ShopEvent['message'] = {
    messageId: `m${++orders}`,
    type: 'track',
    event: 'Order Completed',
    anonymousId: 'v1',
    timestamp: at,
    originalTimestamp: at,
    properties: { order_id: `o${orders}`, revenue: 10, currency: 'EUR' },
  }
  const event: ShopEvent = { seq: orders, index: 0, sender: 'public', receivedAt: at, message }
  // The token of a block is that of its site.
  await loadShop(writer, { siteId: orders === 1 ? 'demo' : `demo-${orders}`, events: [event], decisions: [] })
}

async function ask(sql: string): Promise<string> {
  const headers = { 'x-clickhouse-user': 'bea', 'x-clickhouse-key': PASSWORD }
  return (await fetch(running.url, { method: 'POST', headers, body: sql })).text()
}

async function build(sql: string): Promise<void> {
  expect(await ask(sql)).toBe('')
}

const stored = async () => Number(await ask('SELECT count() FROM slotstream.events'))

it('a mart over our tables is filled by the clock, at first at once', async () => {
  await until(
    'the mart',
    () => ask('SELECT currency, orders, net FROM marts.daily_revenue'),
    text => text !== '',
  )
  expect(await ask('SELECT currency, orders, net FROM marts.daily_revenue')).toBe('EUR\t1\t10\n')
  expect(await ask(RECIPES[2]!.replace(';', ''))).toContain('daily_revenue_refreshed')
})

it("a mart over a builder's own tables is filled with every insert", async () => {
  await build("INSERT INTO marts.costs VALUES ('2026-01-05', 'spring', 3), ('2026-01-09', 'spring', 4)")
  expect(await ask('SELECT month, sum(cost) FROM marts.monthly_costs GROUP BY month')).toBe('2026-01-01\t7\n')
})

it('loading goes on whatever becomes of marts', async () => {
  await build('CREATE TABLE marts.never (n UInt64) ENGINE = MergeTree ORDER BY n')
  await build(
    `CREATE MATERIALIZED VIEW marts.broken REFRESH EVERY 1 HOUR TO marts.never AS
     SELECT toUInt64(throwIf(1)) AS n FROM slotstream.events`,
  )
  await until(
    'the broken mart to have failed',
    () => ask("SELECT exception FROM system.view_refreshes WHERE view = 'broken'"),
    text => text.includes('throwIf'),
  )
  await build(
    'CREATE MATERIALIZED VIEW marts.failing TO marts.monthly_costs AS SELECT throwIf(1) AS cost FROM marts.costs',
  )
  await build('DROP TABLE marts.daily_revenue')
  const before = await stored()
  await load()
  expect(await stored()).toBe(before + 1)
  expect(await ask("INSERT INTO marts.costs VALUES ('2026-02-01', 'spring', 3)")).toContain('throwIf')
  await load()
  expect(await stored()).toBe(before + 2)
})

it('none is attached to our tables, which it could stop', async () => {
  for (const sql of [
    'CREATE MATERIALIZED VIEW marts.ours TO marts.monthly_costs AS SELECT throwIf(1) AS cost FROM slotstream.events',
    'CREATE MATERIALIZED VIEW marts.ours TO marts.monthly_costs AS SELECT 1 AS cost FROM slotstream.money_events',
  ])
    expect(await ask(sql)).toMatch(/ACCESS_DENIED/)
})
