import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonObject, type RejectedEnvelope, streamSubject } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { restoreFromLake } from '#aggregator/commands/rebuild/restore-from-lake.js'
import { fillLake } from '#aggregator/lake/fill-lake.js'
import { lakeFolder } from '#aggregator/lake/lake-files.js'
import { lakeMetrics } from '#aggregator/lake/metrics.js'
import * as lakes from '#aggregator/lake/start-lake.js'
import { tableRanges } from '#aggregator/lake/table-ranges.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World
let lake: string

beforeAll(async () => {
  clickhouse = await startClickHouse()
})
afterAll(() => clickhouse?.stop())
beforeEach(async () => {
  world = await createWorld(clickhouse)
  lake = await mkdtemp(join(tmpdir(), 'slotstream-lake-'))
})
afterEach(async () => {
  await world?.stop()
  await rm(lake, { recursive: true, force: true })
})

/** Properties in which something could get lost on the way through a file. */
const PROPERTIES: JsonObject = {
  text: 'é "quoted" \\ \n \u0000 🙂',
  date: '2026-11-27',
  time: '2026-11-27T10:00:00Z',
  number: '17',
  whole: 9_007_199_254_740_991,
  half: 0.5,
  yes: true,
  none: null,
  list: [1, 'two', { three: [3] }, null],
  deep: { er: { 'a.b': 1 } },
  products: [{ id: 'p1' }, { id: 'p2', price: 3 }],
}

async function publishEvents(count: number, first = 0): Promise<number> {
  let seq = 0
  for (let i = first; i < first + count; i++)
    seq = await world.publish([
      stored({ anonymousId: `v${i % 7}`, properties: { ...PROPERTIES, i }, traits: i % 3 ? {} : { plan: 'a' } }),
      stored({
        anonymousId: `v${i % 7}`,
        type: 'page',
        event: undefined,
        context: { page: { path: `/${i}` }, own: i },
      }),
    ])
  return seq
}

async function publishRejected(): Promise<void> {
  const envelope: RejectedEnvelope = {
    siteId: 'demo',
    receivedAt: new Date().toISOString(),
    rejected: [{ messageId: 'r1', code: 'bad_type', reason: 'no such type', payload: '{"type":"x"}' } as never],
  }
  await world.nats.js.publish(streamSubject('rejected', 0), JSON.stringify(envelope))
}

const count = (table = 'events') => world.number(`SELECT count() FROM slotstream.${table}`)
const all = (table = 'events') => world.query(`SELECT * FROM slotstream.${table} ORDER BY stream_seq, batch_index`)
const filesOf = (stream = 'EVENTS', table = 'events') => lakeFolder(lake, table).list(stream)

async function startLake(name = 'test', everyMs = 50) {
  const { nats, installation, log } = world
  const metrics = createMetrics()
  const parts = { nats, installation, clickhouse: clickhouse.account, metrics, log }
  const role = await lakes.startLake({ ...parts, lake: { dir: lake, everyMs }, identity: someIdentity(name) })
  onTestFinished(role.stop)
  return {
    ...role,
    /** One of its metrics, of the stream of events; 0 where there is none. */
    async metric(name: string): Promise<number> {
      const text = await metrics.registry.metrics()
      return Number(new RegExp(`^slotstream_${name}\\{stream="EVENTS"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
    },
  }
}

const through = async (seq: number) =>
  until(
    `the lake has message ${seq}`,
    async () => (await filesOf()).at(-1)?.last ?? 0,
    last => last >= seq,
  )

/** Messages that are loaded and in the lake; no process works on either any more. */
async function loadAndCopy(count: number): Promise<void> {
  const loader = world.load()
  const role = await startLake()
  await through(await publishEvents(count))
  await role.stop()
  await loader.stop()
}

async function restore(): Promise<string[]> {
  const said: string[] = []
  const { client } = clickhouse
  await restoreFromLake(lake, { installation: world.installation, clickhouse: client, print: line => said.push(line) })
  return said
}

const forget = (table: string, where: string) =>
  clickhouse.client.command({
    query: `ALTER TABLE slotstream.${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`,
  })

describe('the lake', () => {
  it('has each row once, whoever writes it, and gives back exactly what a table has lost', async () => {
    const loaders = [world.load(), world.load({ spec: SPECS.rejected })]
    await publishRejected()
    const first = await startLake('one')
    await through(await publishEvents(20))
    const second = await startLake('two')
    await through(await publishEvents(20, 20))
    await first.stop()
    await through(await publishEvents(20, 40))
    await second.stop()
    const third = await startLake('three')
    await through(await publishEvents(20, 60))
    await until(
      'the rejected message is in it',
      () => filesOf('REJECTED', 'rejected_events'),
      files => files.length === 1,
    )
    await third.stop()
    await Promise.all(loaders.map(loader => loader.stop()))

    const files = await filesOf()
    expect(files.length).toBeGreaterThanOrEqual(4)
    for (const [index, { first, last }] of files.entries()) {
      expect(first).toBeGreaterThan(files[index - 1]?.last ?? 0)
      expect(last).toBeGreaterThanOrEqual(first)
    }
    const before = { events: await all(), rejected: await all('rejected_events') }
    expect(before.events).toHaveLength(160)
    expect(before.rejected).toHaveLength(1)
    const types =
      'SELECT DISTINCT arrayJoin(JSONAllPathsWithTypes(properties)) AS path FROM slotstream.events ORDER BY path'
    const typesBefore = await world.query(types)

    expect(await restore()).toContain(`events: 0 rows put back, ${files.length} files were looked at`)
    await forget('events', 'stream_seq % 3 = 1 OR batch_index = 1 AND stream_seq < 10')
    const left = await count()
    expect(left).toBeLessThan(160)
    await forget('rejected_events', '1')
    expect(await restore()).toContain(`events: ${160 - left} rows put back, ${files.length} files were looked at`)
    expect(await all()).toEqual(before.events)
    expect(await all('rejected_events')).toEqual(before.rejected)

    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.events' })
    await restore()
    expect(await all()).toEqual(before.events)
    expect(await world.query(types)).toEqual(typesBefore)
    expect(
      await world.query("SELECT name FROM system.tables WHERE name LIKE '%_lake' OR name LIKE '%_missing'"),
    ).toEqual([])
  })

  it('has JSON as text with slashes as they are, which readers compare and cut', async () => {
    const loader = world.load()
    const role = await startLake()
    const context = { page: { url: 'https://shop.example/a/b?c=/d', path: '/a/b' } }
    await through(
      await world.publish([
        stored({ properties: { path: '/camping/tents', 'a/b': '\\/', quote: '"' }, traits: { site: 'x/y' }, context }),
      ]),
    )
    await role.stop()
    await loader.stop()
    const [file] = await filesOf()
    const { client } = clickhouse
    const table = 'slotstream.texts_of_lake'
    await client.command({
      query: `CREATE TABLE ${table} (properties String, traits String, context String) ENGINE = Memory`,
    })
    const { stream } = await client.exec({
      query: `INSERT INTO ${table} FORMAT Parquet`,
      values: createReadStream(file!.path),
      clickhouse_settings: { input_format_skip_unknown_fields: 1 },
    })
    for await (const _ of stream);
    const [row] = await world.query<Record<string, string>>(`SELECT * FROM ${table}`)
    expect(row?.properties).toBe('{"a/b":"\\\\/","path":"/camping/tents","quote":"\\""}')
    expect(row?.traits).toBe('{"site":"x/y"}')
    expect(row?.context).toContain('"url":"https://shop.example/a/b?c=/d"')
  })

  it('goes on after a writer was killed in the middle, with files of bounded size and whole messages', async () => {
    const loader = world.load()
    const last = await publishEvents(30)
    await until('loaded', count, rows => rows === 60)
    await loader.stop()
    const lone = (mayKeep: () => Promise<boolean>) => {
      const abort = new AbortController()
      const filling = fillLake({
        stream: 'EVENTS',
        base: 0,
        folder: lakeFolder(lake, 'events'),
        table: tableRanges(clickhouse.client, 'events', abort.signal, 9),
        claim: async () => {},
        complete: async () => last,
        verify: mayKeep,
        everyMs: 20,
        metrics: lakeMetrics(createMetrics()),
        log: world.log,
        signal: abort.signal,
      }).catch(() => {})
      return async () => {
        abort.abort()
        await filling
      }
    }
    // Written, and never renamed: as when the process is killed.
    let asked = 0
    lone(() => (++asked > 3 ? new Promise<never>(() => {}) : Promise.resolve(true)))
    await until(
      'three files',
      () => filesOf(),
      files => files.length === 3,
    )
    await until(
      'a fourth that was begun',
      () => readdir(lake, { recursive: true }),
      names => names.some(name => name.includes('/.EVENTS')),
    )
    // It writes no more.
    await until(
      'its end',
      () => asked,
      times => times > 3,
    )
    const stop = lone(async () => true)
    await through(last)
    await stop()
    expect((await readdir(lake, { recursive: true })).some(name => name.includes('/.EVENTS'))).toBe(false)
    // Nine rows are four messages and a half.
    expect((await filesOf()).map(({ first, last }) => last - first + 1)).toEqual([4, 4, 4, 4, 4, 4, 4, 2])
    const before = await all()
    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.events' })
    await restore()
    expect(await all()).toEqual(before)
  })

  it('does not bring back a message whose later send was loaded in its place', async () => {
    const loader = world.load()
    const message = stored({ messageId: 'again' })
    const untimed = stored({
      messageId: 'untimed',
      originalTimestamp: undefined,
      timestamp: '2026-11-01T00:00:00.000Z',
    })
    await world.publish([message])
    const role = await startLake()
    await through(await world.publish([untimed], '2026-11-01T00:00:00.000Z'))
    await role.stop()
    await loader.stop()
    await forget('events', '1')
    // The stream has them no more, and a client sends them again.
    await world.nats.manager.streams.purge('EVENTS', { seq: 3 })
    const late = world.load()
    await world.publish([message])
    const seq = await world.publish([{ ...untimed, timestamp: '2026-11-02T00:00:00.000Z' }], '2026-11-02T00:00:00.000Z')
    await until('loaded', count, rows => rows === 2)
    await late.stop()
    await restore()
    expect(await count()).toBe(2)
    expect(await world.number(`SELECT max(stream_seq) FROM slotstream.events`)).toBe(seq)
  })

  it('tells no view of what it puts back', async () => {
    await clickhouse.client.command({
      query: 'CREATE TABLE slotstream.test_count (rows UInt64) ENGINE = SummingMergeTree ORDER BY tuple()',
    })
    await clickhouse.client.command({
      query: `CREATE MATERIALIZED VIEW slotstream.test_count_events TO slotstream.test_count AS
              SELECT count() AS rows FROM slotstream.events`,
    })
    await loadAndCopy(5)
    await forget('events', '1')
    await restore()
    expect(await count()).toBe(10)
    expect(await world.number('SELECT sum(rows) FROM slotstream.test_count')).toBe(10)
  })

  it('is not restored from while its table is behind it', async () => {
    await loadAndCopy(3)
    await world.installation.buckets.positions.put(
      'warehouse.EVENTS',
      JSON.stringify({ first: 2, last: 2, done: true }),
    )
    await expect(restore()).rejects.toThrow('events is not yet loaded as far as the lake has it')
  })

  it('gives everything back to an installation that was begun anew, whose positions go on where it ends', async () => {
    await loadAndCopy(20)
    const before = await all()
    const [{ last } = { last: 0 }] = (await filesOf()).slice(-1)
    await world.stop()
    world = await createWorld(clickhouse)
    world.load()
    const said: string[] = []
    await rebuild(
      { from: 'lake', only: ['profiles'] },
      { ...world, clickhouse: clickhouse.client, lake, print: line => said.push(line) },
    )
    expect(said).toContain('7 profiles from the table events')
    expect(await all()).toEqual(before)

    await publishEvents(3)
    await until('the new ones are loaded', count, rows => rows === 46)
    expect((await all()).slice(0, 40)).toEqual(before)
    expect(
      await world.number(
        'SELECT min(stream_seq) FROM (SELECT * FROM slotstream.events ORDER BY stream_seq DESC LIMIT 6)',
      ),
    ).toBe(last + 1)
    await startLake()
    await through(last + 3)
    expect((await filesOf()).map(({ first }) => first)).toContain(last + 1)
    expect(await restore()).toContain(`events: 0 rows put back, ${(await filesOf()).length} files were looked at`)
  })

  it('waits for rows that a table has lost for a while, and leaves no hole', async () => {
    const loader = world.load()
    const role = await startLake()
    await through(await publishEvents(4))
    await role.stop()
    const last = await publishEvents(4, 4)
    await until('loaded', count, rows => rows === 16)
    await loader.stop()
    // As while a backup is restored: the loader noted as done what the table does not show.
    await clickhouse.client.command({ query: 'CREATE TABLE slotstream.kept AS slotstream.events' })
    await clickhouse.client.command({ query: 'INSERT INTO slotstream.kept SELECT * FROM slotstream.events' })
    await clickhouse.client.command({ query: 'TRUNCATE TABLE slotstream.events' })
    const later = await startLake('two')
    await until(
      'it looked for more',
      () => later.metric('lake_position'),
      position => position === 4,
    )
    expect((await filesOf()).at(-1)?.last).toBe(4)
    await clickhouse.client.command({ query: 'INSERT INTO slotstream.events SELECT * FROM slotstream.kept' })
    await through(last)
    expect((await filesOf()).map(({ first }) => first)).toEqual([1, 5])
  })

  it('of another installation is left alone', async () => {
    await writeFile(join(lake, 'LAKE'), 'somebody else')
    const loader = world.load()
    const role = await startLake()
    const failures = () => role.metric('lake_failures_total')
    await publishEvents(2)
    await until('loaded', count, rows => rows === 4)
    await loader.stop()
    const before = await failures()
    await until('it tried, in vain', failures, times => times > before + 1)
    expect(await filesOf()).toEqual([])
    await rm(join(lake, 'LAKE'))
    await through(2)
  })
})
