import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { warehouseTable } from '#aggregator/warehouse/tables/table.js'
import { type HistoryRow, personHistory, personsOf } from '../support/person-history.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const BLOCK = 500
const history = personHistory(20261129, 4_000)

let clickhouse: ClickHouse

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  for (let first = 0; first < history.length; first += BLOCK) await insert(history.slice(first, first + BLOCK))
})
afterAll(() => clickhouse?.stop())

const query = async <T>(sql: string) => (await clickhouse.client.query({ query: sql, format: 'JSONEachRow' })).json<T>()

/** Inserts a block twice, as a loader does that got no answer. */
async function insert(rows: HistoryRow[]) {
  const { insert } = warehouseTable(clickhouse.client, SPECS.events)
  const lines = rows.map(row => {
    const time = new Date(row.timestamp).toISOString()
    return JSON.stringify({ ...row, timestamp: time, original_timestamp: time, received_at: time })
  })
  for (const _again of [1, 2]) await insert(lines, `test:${rows[0]!.stream_seq}-${rows[0]!.batch_index}`)
}

const seen = async () =>
  new Map(
    (
      await query<{ message_id: string; person_id: string }>(
        'SELECT message_id, person_id FROM slotstream.person_events',
      )
    ).map(row => [row.message_id, row.person_id]),
  )

describe('persons', () => {
  it('are those of the rule, row for row', async () => {
    const persons = personsOf(history)
    expect(new Set(persons.values()).size).toBeGreaterThan(30)
    expect(await seen()).toEqual(persons)
  })

  it('are noted once for each message that names them, however often its block is sent', async () => {
    const [row] = await query<{ n: string }>(
      'SELECT count() AS n FROM slotstream.identifications WHERE (stream_seq, batch_index) IN (SELECT stream_seq, batch_index FROM slotstream.events)',
    )
    const expected = history
      .filter(({ user_id, sender }) => user_id !== '' && sender !== 'unsigned')
      .flatMap(row =>
        [row.anonymous_id, row.type === 'alias' && row.previous_id !== row.anonymous_id ? row.previous_id : ''].filter(
          Boolean,
        ),
      )
    expect(Number(row?.n)).toBe(expected.length)
  })

  it('are joined no more once that was undone, until it is allowed again', async () => {
    const pairs = await query<{ anonymous_id: string; user_id: string; state: string }>(
      'SELECT anonymous_id, user_id, state FROM slotstream.identities ORDER BY anonymous_id, user_id',
    )
    expect(new Set(pairs.map(({ state }) => state))).toEqual(new Set(['joined']))
    const undone = pairs.filter((_, index) => index % 3 === 0)
    const decide = (state: string, second: number) =>
      clickhouse.client.insert({
        table: 'slotstream.identity_decisions',
        values: undone.map(pair => ({ ...pair, site_id: 'shop', state, decided_at: `2026-06-01 00:00:0${second}` })),
        format: 'JSONEachRow',
      })
    await decide('undone', 1)
    const apart = await seen()
    expect(apart).toEqual(personsOf(history, undone))
    expect(apart).not.toEqual(personsOf(history))
    await decide('joined', 2)
    expect(await seen()).toEqual(personsOf(history))
  })
})
