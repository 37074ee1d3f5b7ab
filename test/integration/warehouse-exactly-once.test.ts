import { describe, expect, it } from 'vitest'
import { EVENTS, setUpWarehouse } from '../support/set-up-warehouse.js'
import { until } from '../support/until.js'
import { type ClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World
const { loaded, eachOnce } = setUpWarehouse(current => {
  ;({ clickhouse, world } = current)
})

describe('exactly once', () => {
  it('loads what was in the stream before and what comes later, each message as one row', async () => {
    await world.publish([stored(), stored()])
    world.load()
    await loaded(2)
    await world.publish([stored()])
    await loaded(3)
    expect(await world.number('SELECT max(stream_seq) FROM slotstream.events')).toBe(2)
  })

  it('survives a crash between insert and acknowledgement', async () => {
    world.load({ table: world.tableWithoutAnswers() })
    await world.publish([stored(), stored()])
    await loaded(2)
    world.load()
    await world.publish([stored()])
    await loaded(3)
    await eachOnce()
  })

  it('survives a crash between announcement and insert', async () => {
    world.load({ table: { ...world.table(), insert: () => new Promise(() => {}) } })
    await world.publish([stored(), stored()])
    await until(
      'the announcement',
      () => world.installation.buckets.positions.get('warehouse.EVENTS'),
      e => e !== null,
    )
    world.load()
    await loaded(2)
    await world.publish([stored()])
    await loaded(3)
    await eachOnce()
  })

  it('lets a paused owner wake up late without writing anything twice', async () => {
    const table = world.table()
    let wake = () => {}
    let late: Promise<void> | undefined
    world.load({
      table: {
        ...table,
        insert(lines, token) {
          late ??= new Promise<void>(resolve => {
            wake = resolve
          }).then(() => table.insert(lines, token))
          return late
        },
      },
    })
    await world.publish([stored(), stored()])
    await until('the paused insert', () => late !== undefined, Boolean)
    world.load()
    await loaded(2)
    await world.publish([stored()])
    await loaded(3)
    wake()
    await late
    for (let i = 0; i < 20; i++) await world.publish([stored()])
    await loaded(23)
    await eachOnce()
  })

  it('inserts what a killed server noted but does not have', async () => {
    const table = world.table()
    let calls = 0
    world.load({
      table: {
        ...table,
        async insert(lines, token) {
          // As after a kill between the note of the token and the rows: the first attempt leaves the token only.
          if (calls++ === 0) {
            await table.insert(lines.slice(0, 1), token)
            throw new Error('connection lost')
          }
          await table.insert(lines, token)
        },
      },
    })
    await world.publish([stored(), stored(), stored()])
    await loaded(3)
    await eachOnce()
  })

  it('gives the tables of views what a writer that died had given to the table only', async () => {
    const names = () => world.number('SELECT sum(n) FROM slotstream.test_names')
    const command = (query: string) => clickhouse.client.command({ query })
    await command(
      `CREATE TABLE slotstream.test_names (event String, n UInt64) ENGINE = SummingMergeTree ORDER BY event
       SETTINGS non_replicated_deduplication_window = 1000`,
    )
    const view = `VIEW slotstream.test_names_events TO slotstream.test_names AS
                  SELECT event, count() AS n FROM slotstream.events GROUP BY event`
    // As after a kill between the rows of the table and those of the view: the view isn't there yet.
    const dying = world.load({ table: world.tableWithoutAnswers() })
    await world.publish([stored(), stored()])
    await loaded(2)
    dying.drop()
    await command(`CREATE MATERIALIZED ${view}`)
    for (const round of [1, 2]) {
      const loader = world.load()
      await until('the rows of the view', names, n => n === round + 1)
      await world.publish([stored()])
      await until('the next row of the view', names, n => n === round + 2)
      await loader.stop()
    }
    await loaded(4)
    await eachOnce()
  })

  it('goes on after ClickHouse was down', async () => {
    let failures = 0
    world.load({ troubles: { failed: () => failures++, cleared: () => {} } })
    await world.publish([stored()])
    await loaded(1)
    await clickhouse.kill()
    for (let i = 0; i < 10; i++) await world.publish([stored()])
    await until(
      'loading failed several times',
      () => failures,
      count => count > 3,
    )
    await clickhouse.start()
    await loaded(11)
    await eachOnce()
  })

  it('replays what a restored table lacks', async () => {
    const loader = world.load({ limits: { maxRows: 2, maxBytes: 1e9, maxAgeMs: 5 } })
    for (let i = 0; i < 10; i++) await world.publish([stored()])
    await loaded(10)
    await loader.stop()
    await clickhouse.client.command({
      query: 'ALTER TABLE slotstream.events DELETE WHERE stream_seq > 3 SETTINGS mutations_sync = 2',
    })
    expect(await world.number(EVENTS)).toBe(3)
    world.load()
    await loaded(10)
    await world.publish([stored()])
    await loaded(11)
    await eachOnce()
  })

  it('writes nothing twice into a restored table that forgot what was inserted', async () => {
    const loader = world.load()
    for (let i = 0; i < 3; i++) await world.publish([stored(), stored()])
    await loaded(6)
    await loader.stop()
    for (const query of [
      'CREATE TABLE slotstream.restored AS slotstream.events',
      'INSERT INTO slotstream.restored SELECT * FROM slotstream.events',
      'EXCHANGE TABLES slotstream.events AND slotstream.restored',
    ])
      await clickhouse.client.command({ query })
    world.load()
    await world.publish([stored()])
    await loaded(7)
    await eachOnce()
  })

  it('replays everything into a table that was made anew', async () => {
    const loader = world.load()
    for (let i = 0; i < 5; i++) await world.publish([stored()])
    await loaded(5)
    await loader.stop()
    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.events' })
    world.load()
    await loaded(5)
  })

  it('reads a stream that was made anew, and knows its old messages', async () => {
    const again = stored()
    const loader = world.load()
    await world.publish([stored(), stored()])
    await world.publish([again])
    await world.publish([stored()])
    await loaded(4)
    await loader.stop()
    const { config } = await world.nats.manager.streams.info('EVENTS')
    await world.nats.manager.streams.delete('EVENTS')
    await world.nats.manager.streams.add(config)
    await world.publish([stored(), again])
    world.load()
    await loaded(5)
    const restarted = world.load()
    await world.publish([stored()])
    await loaded(6)
    await restarted.stop()
    await eachOnce()
  })
})
