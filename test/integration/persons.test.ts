import type { Links } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanTables } from '#aggregator/people/clean/clean-tables.js'
import { restoreSessions } from '#aggregator/people/clean/restore-sessions.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { warehouseTable } from '#aggregator/warehouse/tables/table.js'
import { settleUsers, withLink } from '#core/identity/links.js'
import {
  type HistoryRow,
  type HistorySession,
  heldIn,
  personHistory,
  personsOf,
  sessionsOf,
} from '../support/person-history.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const BLOCK = 500
const history = personHistory(20261129, 4_000)
/** Joins that guards hold back: other ones once an administrator decided about some. */
let held = heldIn(history)

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
    const persons = personsOf(history, held)
    expect(held).not.toEqual([])
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
      "SELECT anonymous_id, user_id, state FROM slotstream.identities WHERE state = 'joined' ORDER BY anonymous_id, user_id",
    )
    const undone = pairs.filter((_, index) => index % 3 === 0)
    const decide = (state: string, second: number) =>
      clickhouse.client.insert({
        table: 'slotstream.identity_decisions',
        values: undone.map((pair, index) => ({
          ...pair,
          site_id: 'shop',
          state,
          decided_at: `2026-06-01 00:00:0${second}`,
          stream_seq: second,
          batch_index: index,
        })),
        format: 'JSONEachRow',
      })
    await decide('undone', 1)
    const apart = await seen()
    held = heldIn(history, undone)
    expect(apart).toEqual(personsOf(history, [...undone, ...held]))
    expect(apart).not.toEqual(personsOf(history, held))
    await decide('joined', 2)
    expect(await seen()).toEqual(personsOf(history, held))
  })
})

const sessions = async (where = '1') =>
  (
    await query<Record<keyof HistorySession, string | number>>(
      `SELECT anonymous_id, user_id, person_id, toUnixTimestamp64Milli(started_at) AS begun, toUnixTimestamp64Milli(ended_at) AS ended,
         events, page_views, session_number
       FROM slotstream.sessions WHERE ${where}`,
    )
  ).map(({ begun, ended, ...row }: Record<string, string | number>) => ({
    ...row,
    started_at: Number(begun),
    ended_at: Number(ended),
    events: Number(row.events),
    page_views: Number(row.page_views),
    session_number: Number(row.session_number),
  })) as HistorySession[]

const sorted = (rows: HistorySession[]) => rows.map(row => JSON.stringify(row, Object.keys(row).sort())).sort()

describe('sessions', () => {
  it('are those of browsers, with what their messages say, and none of servers that know only the user', async () => {
    const expected = sessionsOf(history, held)
    const found = await sessions()
    expect(sorted(found)).toEqual(sorted(expected))
    const bounced = (rows: HistorySession[]) => rows.filter(row => row.page_views === 1).length / rows.length
    expect(bounced(found)).toBe(bounced(expected))
    expect(history.some(row => row.anonymous_id === '' && row.user_id !== '')).toBe(true)
    expect(found.some(row => row.anonymous_id === '' || row.person_id === '')).toBe(false)
  })

  it('of a period are those that began in it, though a late message moved the start of some', async () => {
    const [from, to] = [Date.UTC(2026, 2, 3), Date.UTC(2026, 2, 5)]
    const found = await sessions("started_at >= '2026-03-03 00:00:00' AND started_at < '2026-03-05 00:00:00'")
    expect(found.length).toBeGreaterThan(20)
    expect(sorted(found)).toEqual(
      sorted(sessionsOf(history, held).filter(row => row.started_at >= from && row.started_at < to)),
    )
  })

  it('stay as they are when their messages are read again', async () => {
    const before = sorted(await sessions())
    await restoreSessions(clickhouse.client, 'shop', [...new Set(history.map(row => row.session_id))])
    expect(sorted(await sessions())).toEqual(before)
  })
})

describe('page views', () => {
  it('count once for each page_view_id', async () => {
    const pages = history.filter(({ type, anonymous_id }) => type === 'page' && anonymous_id !== '')
    const expected = new Set(pages.map(row => `${row.anonymous_id} ${row.page_view_id || row.message_id}`)).size
    expect(expected).toBeLessThan(pages.length)
    const [row] = await query<{ n: string }>('SELECT count() AS n FROM slotstream.page_views')
    expect(Number(row?.n)).toBe(expected)
  })

  it('belong to the person of their message', async () => {
    const wrong = await query(
      `SELECT views.person_id, events.person_id FROM slotstream.page_views AS views
       INNER JOIN slotstream.person_events AS events
       ON views.anonymous_id = events.anonymous_id AND views.timestamp = events.timestamp AND views.page_view_id = events.page_view_id
       WHERE events.type = 'page' AND views.page_view_id != '' AND views.person_id != events.person_id`,
    )
    expect(wrong).toEqual([])
  })
})

describe('deleting a person', () => {
  it('leaves of shared sessions what others did in them, and nobody else belongs to the person', async () => {
    const named = history.filter(({ user_id, sender }) => user_id === 'u1' && sender !== 'unsigned')
    const browsers = [...new Set(named.flatMap(row => [row.anonymous_id, row.previous_id]))].filter(Boolean)
    const person = { siteId: 'shop', userIds: ['u1'], browsers, anonymousIds: [] }
    const removed: Record<string, number> = {}
    await cleanTables(
      clickhouse.client,
      { person, before: Date.now() },
      sql => sql,
      async (place, rows) => {
        removed[place] = (removed[place] ?? 0) + rows
      },
    )
    const tables = [
      ...['events', 'identifications', 'identity_decisions', 'money_events', 'page_reports', 'session_states'],
      'sessionless_events',
    ]
    expect(Object.keys(removed).sort()).toEqual(tables.map(name => `table ${name}`))
    const left = new Set(
      (await query<{ message_id: string }>('SELECT message_id FROM slotstream.events')).map(row => row.message_id),
    )
    const others = history.filter(row => left.has(row.message_id))
    expect(others.some(row => browsers.includes(row.anonymous_id))).toBe(true)
    expect(sorted(await sessions())).toEqual(sorted(sessionsOf(others, held)))
    expect(new Set((await seen()).values()).has('u1')).toBe(false)
  })
})

describe('a browser that changes users again and again', () => {
  /**
   * Inserts what a browser sends as each of the users in turn, and then without one; returns the last two persons,
   * latest first.
   */
  async function personsAfter(site_id: string, users: string[]) {
    const rows = [...users, ''].map((user_id, second) => ({ second, user_id, type: 'track', event: 'E', site_id }))
    await insertEvents(rows)
    return query(
      `SELECT user_id, person_id FROM slotstream.person_events WHERE site_id = '${site_id}' ORDER BY stream_seq DESC LIMIT 2`,
    )
  }

  it('belongs to those whom its guard lets join, and what others do there is its own', async () => {
    const users = Array.from({ length: 300 }, (_, nth) => `user-${nth}`)
    const last = settledUsersOf(users).findLast(([, { state }]) => state === 'joined')
    expect(await personsAfter('many', users)).toEqual([
      { user_id: '', person_id: last?.[0] },
      { user_id: 'user-299', person_id: 'golden' },
    ])
  })

  it('belongs to none of them, so that no page can make questions about persons endless', async () => {
    const users = Array.from({ length: 300 }, (_, nth) => `user-${nth % 2}`)
    expect(await personsAfter('turning', users)).toEqual([
      { user_id: '', person_id: 'golden' },
      { user_id: 'user-1', person_id: 'user-1' },
    ])
  })
})

describe('deleting a person who came back', () => {
  it('ends, and leaves the session that others began with what came later', async () => {
    const insert = (second: number, user_id: string) =>
      insertEvents([{ second, type: 'track', event: 'E', site_id: 'back', session_id: 'shared', user_id }])
    await insert(0, 'other')
    await insert(1, 'back')
    await insert(30, 'back')
    const person = { siteId: 'back', userIds: ['back'], browsers: ['golden'], anonymousIds: [] }
    const whose = { person, before: Date.parse('2026-04-01T00:00:10Z') }
    const clean = () =>
      cleanTables(
        clickhouse.client,
        whose,
        sql => sql,
        async () => {},
      )
    expect(await clean()).toBeGreaterThan(0)
    expect(await clean()).toBe(0)
    const rows = await query(
      `SELECT user_ids, length(messages) AS n FROM slotstream.session_states FINAL WHERE site_id = 'back'
       SETTINGS output_format_json_quote_64bit_integers = 0`,
    )
    expect(rows).toEqual([{ user_ids: expect.toSatisfy(ids => ids.toSorted().join() === 'back,other'), n: 2 }])
  })
})

describe('the columns of a session', () => {
  it('say how it came about, on what, and what was ordered, each order once', async () => {
    const device = {
      device: { type: 'mobile' },
      browser: { name: 'Mobile Safari' },
      os: { name: 'iOS' },
      location: { country: 'DE' },
    }
    const campaign = { source: 'news', medium: 'email', name: 'spring' }
    const order = (second: number, properties: object, fields: object = {}) => ({
      second,
      type: 'track',
      event: 'Order Completed',
      properties,
      ...fields,
    })
    await insertEvents([
      {
        second: 0,
        type: 'track',
        event: 'Warmed Up',
        context: { traffic: { channel: 'email', source: 'news' }, campaign, ...device },
      },
      {
        second: 1,
        type: 'page',
        page_url: 'https://shop.example/sale?a=1#b',
        page_path: '/sale',
        referrer: 'https://www.mail.example/inbox',
        context: { traffic: { channel: 'internal' } },
      },
      order(2, { order_id: 'o1', revenue: 150, currency: 'EUR' }),
      order(3, { order_id: 'o1', revenue: 150, currency: 'EUR' }),
      order(4, { order_id: 'o2', total: '12.5', currency: 'EUR' }),
      order(5, { order_id: 'o3', revenue: 'NaN', currency: 'EUR' }),
      order(6, { order_id: 'o4', revenue: 1, currency: 'EUR' }, { session_id: 'second' }),
      order(7, { order_id: 'o5', revenue: 1, currency: 'USD' }, { session_id: 'second' }),
      order(8, { order_id: 'o6', revenue: '$12.50' }, { session_id: 'third' }),
      {
        second: 9,
        type: 'page',
        context: { traffic: { channel: 'internal' }, bot: { reason: 'user_agent' } },
        session_id: 'fourth',
      },
      { second: 10, type: 'track', event: 'Page Engaged', properties: { activeMs: 'NaN' }, session_id: 'fourth' },
      { second: 11, type: 'track', event: 'Page Engaged', properties: { activeMs: 1500 }, session_id: 'fourth' },
    ])
    const found = await query(
      `SELECT session_id, channel, source, medium, campaign, referrer_host, landing_page, device, browser, os, country, bot,
         toUInt8(session_number) AS session_number, is_new, converted, revenue, engaged_s
       FROM slotstream.sessions WHERE site_id = 'golden' ORDER BY started_at`,
    )
    const nothing = {
      source: '',
      medium: '',
      campaign: '',
      referrer_host: '',
      landing_page: '',
      device: '',
      browser: '',
      os: '',
      country: '',
    }
    const plain = { ...nothing, channel: '', bot: false, is_new: false, engaged_s: 0 }
    expect(found.map(row => ({ ...(row as object), ...booleans(row as Record<string, unknown>) }))).toEqual([
      {
        session_id: 'first',
        channel: 'email',
        source: 'news',
        medium: 'email',
        campaign: 'spring',
        referrer_host: '',
        landing_page: 'https://shop.example/sale',
        device: 'mobile',
        browser: 'Mobile Safari',
        os: 'iOS',
        country: 'DE',
        bot: false,
        session_number: 1,
        is_new: true,
        converted: true,
        revenue: 162.5,
        engaged_s: 0,
      },
      { ...plain, session_id: 'second', session_number: 2, converted: true, revenue: null },
      { ...plain, session_id: 'third', session_number: 3, converted: true, revenue: null },
      {
        ...plain,
        session_id: 'fourth',
        channel: 'direct',
        bot: true,
        session_number: 4,
        converted: false,
        revenue: 0,
        engaged_s: 1.5,
      },
    ])
  })
})

const booleans = ({ bot, is_new, converted }: Record<string, unknown>) => ({
  bot: Boolean(bot),
  is_new: Boolean(is_new),
  converted: Boolean(converted),
})

/** Messages of one browser of the site `golden`, a second apart. */
async function insertEvents(rows: ({ second: number } & Record<string, unknown>)[]) {
  const values = rows.map(({ second, ...row }) => {
    const timestamp = new Date(Date.UTC(2026, 3, 1) + second * 1000).toISOString().slice(0, 19).replace('T', ' ')
    const common = { site_id: 'golden', anonymous_id: 'golden', session_id: 'first', original_timestamp: timestamp }
    return {
      ...common,
      message_id: `golden-${second}`,
      timestamp,
      received_at: timestamp,
      stream_seq: 9_000_000 + second,
      ...row,
    }
  })
  await clickhouse.client.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
}

/** Returns what a profile takes the users of a browser for, who are named there a second apart. */
function settledUsersOf(users: string[]) {
  const links = users.reduce((links, user, second) => {
    const at = Date.UTC(2026, 3, 1) + second * 1000
    return withLink(links, user, { firstAt: at, lastAt: at, cause: '' })
  }, {} as Links)
  return [...settleUsers(links)]
}
