import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { FILL_HISTORY } from '../support/shop/fill-history.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

/** The migration that fills `slot_responses` with what came before the table was there. */
const VERSION = 40

let clickhouse: ClickHouse

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await run('DROP DATABASE IF EXISTS slotstream SYNC')
  await migrateInPieces()
  for (const query of FILL_HISTORY) await run(query)
})
afterAll(() => clickhouse?.stop())

/** Applies all migrations, interrupted several times, as by processes that are killed. */
async function migrateInPieces(): Promise<void> {
  const migrations = await readMigrations()
  for (let pieces = 1; ; pieces++) {
    let statements = 0
    const isMyTurn = async () => ++statements <= 10 * pieces
    const applied = await migrate(clickhouse.client, migrations, undefined, isMyTurn).catch(error => {
      expect(error.message).toBe('another process migrates the tables now')
    })
    if (!applied) continue
    expect(pieces).toBeGreaterThan(3)
    return
  }
}

const run = (query: string) => clickhouse.client.command({ query })

async function value<T>(query: string): Promise<T> {
  const rows = await (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<{ value: T }>()
  return rows[0]!.value
}

/** All that the table has, in one number, and how many rows. */
const content = () =>
  value<[string, string]>(
    'SELECT tuple(toString(count()), toString(sum(cityHash64(tuple(*))))) AS value FROM slotstream.slot_responses',
  )

/** Applies the migration again, as a process does that found it interrupted. */
async function migrateAgain(): Promise<void> {
  await run(`ALTER TABLE slotstream.migrations DELETE WHERE version = ${VERSION} SETTINGS mutations_sync = 2`)
  expect(await migrate(clickhouse.client, await readMigrations())).toEqual([VERSION])
}

describe('an upgrade', () => {
  it('leaves views that can be read, though it was interrupted several times', async () => {
    const views = await value<string[]>(
      `SELECT groupArray(name) AS value FROM system.tables WHERE database = 'slotstream' AND engine = 'View'`,
    )
    expect(views.length).toBeGreaterThan(20)
    for (const view of views) await run(`SELECT * FROM slotstream.${view} LIMIT 0 FORMAT Null`)
  })

  it('has the views of and clicks on slots from before in their table, each once, wherever it was interrupted', async () => {
    const expected = await content()
    const rewards = 'SELECT tuple(sum(viewed), sum(clicked), sum(reward)) AS value FROM slotstream.decision_rewards'
    const earned = await value<number[]>(rewards)
    expect(Number(expected[0])).toBeGreaterThan(300_000)
    await run('TRUNCATE TABLE slotstream.slot_responses')
    expect(await value<number[]>(rewards)).not.toEqual(earned)

    await migrateAgain()
    expect(await content()).toEqual(expected)
    expect(await value<number[]>(rewards)).toEqual(earned)

    await run(`DELETE FROM slotstream.slot_responses WHERE cityHash64(decision_id) % 3 = 0 OR timestamp > '2026-04-20'`)
    expect(await content()).not.toEqual(expected)
    await migrateAgain()
    expect(await content()).toEqual(expected)
    await migrateAgain()
    expect(await content()).toEqual(expected)
  })
})
