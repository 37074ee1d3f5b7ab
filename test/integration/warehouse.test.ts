import { createMetrics } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World

beforeAll(async () => {
  clickhouse = await startClickHouse()
})
afterAll(() => clickhouse?.stop())
beforeEach(async () => {
  world = await createWorld(clickhouse)
})
afterEach(() => world?.stop())

const EVENTS = 'SELECT count() FROM slotstream.events'
const loaded = (count: number) =>
  until(
    `${count} events`,
    () => world.number(EVENTS),
    n => n === count,
  )

/** Publishes a message of its own and waits for its row: what came before it has been dealt with. */
async function drained() {
  const messageId = `end-${Math.random()}`
  await world.publish([stored({ messageId, anonymousId: 'end' })])
  await until(
    'the last message',
    () => world.number(`${EVENTS} WHERE message_id = '${messageId}'`),
    n => n === 1,
  )
}
const eachOnce = async () => {
  expect(
    await world.number('SELECT count() - uniqExact(site_id, anonymous_id, message_id) FROM slotstream.events'),
  ).toBe(0)
}

function old(index: number) {
  const time = new Date(Date.UTC(2019, 10, 24) + index * 1000).toISOString()
  return stored({ messageId: `old-${index}`, timestamp: time, originalTimestamp: time, sentAt: time })
}

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

describe('duplicates', () => {
  it('leaves out a second send, in the same block, a later one, and after a restart', async () => {
    const message = stored()
    const first = world.load()
    await world.publish([message, message])
    await loaded(1)
    await world.publish([message])
    await drained()
    await first.stop()
    world.load()
    await world.publish([message])
    await drained()
    expect(await world.number(`${EVENTS} WHERE message_id = '${message.messageId}'`)).toBe(1)
  })

  it('keeps one id of two visitors, and of two sites, as separate messages', async () => {
    world.load()
    await world.publish([stored({ messageId: 'same' })])
    await world.publish([stored({ messageId: 'same', anonymousId: 'v2' })])
    await world.publish([stored({ messageId: 'same' })], new Date().toISOString(), 'other')
    await loaded(3)
  })

  it('finds a second send days later, and one without any client time', async () => {
    const days = (n: number) => new Date(Date.now() - n * 24 * 3600 * 1000).toISOString()
    const timed = stored({ timestamp: days(5), originalTimestamp: days(5), sentAt: days(5) })
    const { originalTimestamp: _, ...untimed } = stored({ timestamp: days(3) })
    const first = world.load()
    await world.publish([timed], days(5))
    await world.publish([untimed], days(3))
    await loaded(2)
    await first.stop()
    world.load()
    await world.publish([{ ...timed, timestamp: days(4.99) }])
    await world.publish([{ ...untimed, timestamp: new Date().toISOString() }])
    await drained()
    await eachOnce()
  })

  it('finds ids of any characters', async () => {
    world.load()
    const ids = ["it's", '\\', 'a\nb', 'a\tb', 'nul\0', '😀', "'),(1,'", '[', '%27', 'x'.repeat(256), '{ids:String}']
    const time = '2019-01-01T00:00:00.123Z'
    const timed = ids.map(messageId => stored({ messageId, timestamp: time, originalTimestamp: time }))
    const untimed = ids.map(messageId => {
      const { originalTimestamp: _, ...message } = stored({ messageId, anonymousId: 'v2' })
      return message
    })
    for (let i = 0; i < 2; i++) {
      await world.publish(timed)
      await world.publish(untimed)
      await drained()
    }
    expect(await world.number(`${EVENTS} WHERE anonymous_id != 'end'`)).toBe(2 * ids.length)
  })

  it('changes nothing when 10,000 messages of 2019 are sent again, before and after a restart', async () => {
    const limits = { maxRows: 4_000, maxBytes: 1e9, maxAgeMs: 50 }
    const send = async () => {
      for (let start = 0; start < 10_000; start += 500)
        await world.publish(Array.from({ length: 500 }, (_, i) => old(start + i)))
    }
    const first = world.load({ limits })
    await send()
    await loaded(10_000)
    await send()
    await drained()
    await first.stop()
    world.load({ limits })
    await send()
    await drained()
    expect(await world.number(`${EVENTS} WHERE message_id LIKE 'old-%'`)).toBe(10_000)
    await eachOnce()
  })
})

describe('rows that ClickHouse rejects', () => {
  it('stores them in rejected_events and loads the rest of the block', async () => {
    world.load()
    world.load({ spec: SPECS.rejected })
    const poison = { ...stored({ messageId: 'poison' }), timestamp: 'yesterday' }
    await world.publish([stored(), poison, stored()])
    await loaded(2)
    const rejected = await until(
      'the rejection',
      () =>
        world.query<Record<string, unknown>>(
          'SELECT message_id, code, reason, payload FROM slotstream.rejected_events',
        ),
      rows => rows.length > 0,
    )
    expect(rejected).toHaveLength(1)
    expect(rejected[0]).toMatchObject({ message_id: 'poison', code: 'warehouse_refused' })
    expect(rejected[0]?.payload).toContain('yesterday')
  })

  it('takes any JSON a browser can send', async () => {
    world.load()
    const odd = [
      { 'a.b': 1, a: { b: 2 } },
      { A: 1, a: 2, '': { '': 3 } },
      { a: [1, 'x', null, true, { b: 1 }, [2]] },
      { a: 2 ** 64, b: -(2 ** 63) * 2, c: 1e308, d: [2 ** 65] },
      { '\ud800': '\udfff', nul: '\u0000' },
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])),
      { k: 1 },
      { k: 'one' },
      { k: { k: [] } },
      { when: '2026-01-01T00:00:00Z', nan: 'NaN' },
    ]
    await world.publish(odd.map(properties => stored({ properties: properties as never })))
    await loaded(odd.length)
    expect(
      await world.number("SELECT count() FROM slotstream.events WHERE properties.when = '2026-01-01T00:00:00Z'"),
    ).toBe(1)
  })

  it('keeps all digits of numbers that JavaScript would round', async () => {
    world.load()
    const [one, other, huge] = ['175928847299117063', '175928847299117064', '18446744073709551615']
    const messages = [one, other].map(id =>
      JSON.stringify(stored({ properties: { n: 0 } })).replace('"n":0', `"n":${id},"huge":${huge}`),
    )
    const envelope = { siteId: 'demo', visitorId: 'v1', receivedAt: new Date().toISOString() }
    await world.nats.js.publish('events.3', `${JSON.stringify(envelope).slice(0, -1)},"sent":[${messages.join()}]}`)
    await loaded(2)
    expect(
      await world.query(
        'SELECT toString(properties.n.:Int64) AS n, toString(properties.huge) AS huge FROM slotstream.events ORDER BY n',
      ),
    ).toEqual([
      { n: one, huge },
      { n: other, huge },
    ])
  })
})

describe('the views', () => {
  const at = (minutes: number) => new Date(Date.UTC(2026, 0, 10, 12) + minutes * 60_000).toISOString()
  const timed = (minutes: number, fields: Parameters<typeof stored>[0]) =>
    stored({ timestamp: at(minutes), originalTimestamp: at(minutes), sentAt: at(minutes), ...fields })

  it('count sessions, page views, vitals and the ledger of a small history', async () => {
    world.load()
    const page = (path: string) => ({ url: `https://shop.example${path}`, path, title: `At ${path}` })
    const mine = { sessionId: 's1', pageViewId: 'p1' }
    await world.publish([
      timed(0, { type: 'page', event: undefined, context: { ...mine, seq: 1, page: page('/') } }),
      timed(1, {
        event: 'Page Engaged',
        properties: { activeMs: 1500, scrollDepth: 0.5 },
        context: { ...mine, seq: 2, page: page('/') },
      }),
      timed(2, { event: 'Page Engaged', properties: { activeMs: 500 }, context: { ...mine, seq: 3, page: page('/') } }),
      timed(3, {
        event: 'Web Vital',
        properties: { name: 'LCP', value: 1200.5, rating: 'good', id: 'x' },
        context: { ...mine, seq: 4, page: page('/') },
      }),
      timed(4, {
        type: 'page',
        event: undefined,
        userId: 'u1',
        context: {
          sessionId: 's1',
          pageViewId: 'p2',
          seq: 7,
          page: page('/end'),
          ledger: { captured: 9, sent: 7, acknowledged: 5, dropped: { quota: 1 } },
        },
      }),
      // Without a session of the browser's: two visits, 40 minutes apart.
      timed(0, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/a') } }),
      timed(10, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/b') } }),
      timed(50, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/c') } }),
    ])
    await loaded(8)
    // A message is seen in its table a moment before its session has it.
    await until(
      'the session',
      () => world.number(`SELECT events FROM slotstream.sessions WHERE session_id = 's1'`),
      n => n === 5,
    )
    expect(
      await world.query(
        `SELECT anonymous_id, user_id, duration_s, engaged_s, page_views, events, entry_path, exit_path
         FROM slotstream.sessions ORDER BY anonymous_id, started_at`,
      ),
    ).toEqual([
      {
        anonymous_id: 'v1',
        user_id: 'u1',
        duration_s: 240,
        engaged_s: 2,
        page_views: 2,
        events: 5,
        entry_path: '/',
        exit_path: '/end',
      },
      {
        anonymous_id: 'v2',
        user_id: '',
        duration_s: 600,
        engaged_s: 0,
        page_views: 2,
        events: 2,
        entry_path: '/a',
        exit_path: '/b',
      },
      {
        anonymous_id: 'v2',
        user_id: '',
        duration_s: 0,
        engaged_s: 0,
        page_views: 1,
        events: 1,
        entry_path: '/c',
        exit_path: '/c',
      },
    ])
    expect(
      await world.query(
        "SELECT session_id, page_path, title, engaged_s FROM slotstream.page_views WHERE anonymous_id = 'v1' ORDER BY timestamp",
      ),
    ).toEqual([
      { session_id: 's1', page_path: '/', title: 'At /', engaged_s: 2 },
      { session_id: 's1', page_path: '/end', title: 'At /end', engaged_s: 0 },
    ])
    expect(await world.query('SELECT page_path, name, value, rating FROM slotstream.web_vitals')).toEqual([
      { page_path: '/', name: 'LCP', value: 1200.5, rating: 'good' },
    ])
    expect(
      await world.query('SELECT site_id, anonymous_id, captured, received, missing, dropped FROM slotstream.delivery'),
    ).toEqual([{ site_id: 'demo', anonymous_id: 'v1', captured: 9, received: 5, missing: 4, dropped: { quota: 1 } }])
  })

  it('join decisions with what came of them, and compare with the holdout', async () => {
    world.load()
    world.load({ spec: SPECS.decisions })
    const decision = (decisionId: string, fields: object) => ({
      decisionId,
      timestamp: at(0),
      slotId: 'hero',
      anonymousId: 'v1',
      policy: 'random',
      policyVersion: '1',
      outcome: 'served',
      holdout: false,
      contentIds: ['a', 'b'],
      propensities: [0.5, 0.25],
      position: 1,
      candidates: [{ contentId: 'a', score: 1, probability: 0.5 }],
      excluded: [{ contentId: 'z', reason: 'ended' }],
      features: { x: 1 },
      seed: 's',
      ...fields,
    })
    const none = {
      contentIds: [],
      propensities: [],
      candidates: [],
      holdout: true,
      outcome: 'holdout',
      anonymousId: 'v9',
    }
    const decisions = [
      decision('d1', {}),
      decision('d2', { contentIds: ['a'], propensities: [0.5], position: 3 }),
      ...['h1', 'h2', 'h3', 'h4'].map(id => decision(id, none)),
    ]
    const envelope = JSON.stringify({ siteId: 'demo', visitorId: 'v1', receivedAt: at(0), decisions })
    await world.nats.js.publish('decisions.0', envelope)
    await world.nats.js.publish('decisions.0', envelope)
    const slot = (event: string, decisionId: string, contentId?: string) =>
      timed(1, { event, properties: { slotId: 'hero', decisionId, ...(contentId ? { contentId, position: 1 } : {}) } })
    await world.publish([
      slot('Slot Viewed', 'd1', 'a'),
      slot('Slot Viewed', 'd1', 'b'),
      slot('Slot Viewed', 'd2', 'a'),
      slot('Slot Clicked', 'd1', 'a'),
      ...['h1', 'h2', 'h3', 'h4'].map(id => slot('Slot Viewed', id)),
      { ...slot('Slot Clicked', 'h1'), anonymousId: 'v9' },
      timed(60, { event: 'Order Completed', properties: { revenue: 30 } }),
      timed(120, { event: 'Order Completed', properties: { total: '12.5' } }),
      timed(26 * 60, { event: 'Order Completed', properties: { revenue: 1000 } }),
    ])
    await loaded(12)
    // Tables of views are filled after the rows are there.
    await drained()
    await until(
      'the decisions',
      () => world.number('SELECT count() FROM slotstream.decisions'),
      n => n === 6,
    )
    expect(
      await world.query(
        `SELECT decision_id, content_id, position, propensity, viewed, clicked, reward, revenue
         FROM slotstream.decision_rewards WHERE NOT holdout ORDER BY decision_id, position`,
      ),
    ).toEqual([
      {
        decision_id: 'd1',
        content_id: 'a',
        position: 1,
        propensity: 0.5,
        viewed: 1,
        clicked: 1,
        reward: 1,
        revenue: 42.5,
      },
      {
        decision_id: 'd1',
        content_id: 'b',
        position: 2,
        propensity: 0.25,
        viewed: 1,
        clicked: 0,
        reward: 0,
        revenue: 0,
      },
      {
        decision_id: 'd2',
        content_id: 'a',
        position: 3,
        propensity: 0.5,
        viewed: 1,
        clicked: 0,
        reward: 0,
        revenue: 0,
      },
    ])
    const performance = await world.query<Record<string, number>>(
      'SELECT * FROM slotstream.slot_performance WHERE NOT holdout ORDER BY content_id',
    )
    expect(performance).toHaveLength(2)
    expect(performance[0]).toMatchObject({
      content_id: 'a',
      day: '2026-01-10',
      impressions: 2,
      clicks: 1,
      ctr: 0.5,
      reward: 1,
      revenue: 42.5,
      lift: 0.25,
    })
    // Newcombe's interval of 1 of 2 and 1 of 4, from Wilson's of each.
    expect(performance[0]?.lift_low).toBeCloseTo(-0.355256, 6)
    expect(performance[0]?.lift_high).toBeCloseTo(0.704084, 6)
    expect(performance[1]).toMatchObject({ content_id: 'b', impressions: 1, clicks: 0, ctr: 0, lift: -0.25 })
  })
})

describe('migrations', () => {
  it('are applied once, and refused when a file was changed afterwards', async () => {
    const migrations = await readMigrations()
    expect(await migrate(clickhouse.client, migrations)).toEqual([])
    const changed = migrations.map(m => (m.version === 2 ? { ...m, checksum: 'other' } : m))
    await expect(migrate(clickhouse.client, changed)).rejects.toThrow('migration 2 (decisions) was changed')
  })

  it('stop where it is another process’s turn', async () => {
    const more = {
      version: 9_999,
      name: 'more',
      sql: 'CREATE TABLE slotstream.more (a UInt8) ENGINE = Memory;',
      checksum: '',
    }
    const notMine = migrate(clickhouse.client, [...(await readMigrations()), more], undefined, async () => false)
    await expect(notMine).rejects.toThrow('another process migrates the tables now')
    const found = await clickhouse.client.query({ query: 'EXISTS TABLE slotstream.more', format: 'JSONEachRow' })
    expect(await found.json()).toEqual([{ result: 0 }])
  })
})

describe('the role', () => {
  it('waits for ClickHouse, loads all streams, and stops cleanly', async () => {
    await clickhouse.kill()
    const warehouse = startWarehouse({
      nats: world.nats,
      publisher: world.publisher,
      installation: world.installation,
      clickhouse: clickhouse.account,
      metrics: createMetrics(),
      log: world.log,
      identity: someIdentity(),
    })
    expect(warehouse.missing()).toEqual(['clickhouse'])
    await clickhouse.start()
    await until(
      'readiness',
      () => warehouse.missing(),
      missing => missing.length === 0,
    )
    await world.installation.buckets.profiles.put(
      '3.demo.v=2e1',
      JSON.stringify({
        siteId: 'demo',
        visitorId: 'v.1',
        anonymousId: 'v.1',
        userId: 'u',
        firstSeen: '2026-01-01T00:00:00.000Z',
        lastSeen: '2026-01-02T00:00:00.000Z',
        sessions: 2,
        session: null,
        events: 3,
        affinities: { shoes: 1.5 },
        affinitiesAt: '2026-01-02T00:00:00.000Z',
        traits: { plan: 'pro' },
        segments: [],
        members: [['vip', Date.UTC(2026, 0, 2)]],
        seq: 9,
        recent: [],
      }),
    )
    await world.publish([stored()])
    await loaded(1)
    const profiles = await until(
      'the profile',
      () => world.query('SELECT * FROM slotstream.profiles'),
      rows => rows.length === 1,
    )
    expect(profiles[0]).toMatchObject({
      site_id: 'demo',
      anonymous_id: 'v.1',
      sessions: 2,
      affinities: { shoes: 1.5 },
      segments: ['vip'],
      traits: { plan: 'pro' },
    })
    await world.installation.buckets.profiles.delete('3.demo.v=2e1')
    await until(
      'the deletion',
      () => world.number('SELECT count() FROM slotstream.profiles'),
      n => n === 0,
    )
    await warehouse.stop()
  })
})
