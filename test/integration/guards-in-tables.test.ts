import { isoTime } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { createRandom } from '../chaos/random.js'
import { mergesOfMessages } from '../support/merges-of-messages.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const DAY = 24 * 3_600_000
const START = Date.UTC(2026, 0, 1)

/** A message that names a browser and its user. */
interface Said {
  browser: string
  user: string
  at: number
}

/** Browsers of all kinds: of few users, of many within a month and over years, of more than a profile keeps; users likewise. */
function whatWasSaid(): Said[] {
  const random = createRandom(20261130)
  const said: Said[] = []
  const add = (browser: string, user: string, at: number) => said.push({ browser, user, at: START + Math.floor(at) })
  for (let browser = 0; browser < 40; browser++)
    for (let n = 0; n < random.int(1, 14); n++)
      for (let again = random.int(1, 3); again > 0; again--)
        add(`kiosk-${browser}`, `u${browser}-${n}`, random.int(0, 90) * DAY + random.int(0, 999))
  for (const [user, browsers, days] of [
    ['tester', 70, 20],
    ['collector', 70, 2_000],
    ['ünïque', 130, 900],
  ] as const)
    for (let n = 0; n < browsers; n++) add(`${user}-${n}`, user, random.int(0, days) * DAY)
  for (let n = 0; n < 140; n++) add('crowd', `c-é${n}`, random.int(0, 700) * DAY)
  // Of more turns than a browser may have, most of a user who is held back.
  for (let n = 0; n < 240; n++) add('busy', n % 2 ? 'test' : n < 120 ? 'ann' : 'bob', n * 60_000)
  for (const id of [
    'test',
    '(null)',
    ' N/A ',
    '"undefined"',
    '[object Object]',
    '000',
    'anna',
    'tester-1',
    '<nil>',
    'user_id',
    'testing',
    '{{user.key}}',
    `shop-\${key}`,
    '<%= key %>',
    '<?php echo $key ?>',
    '%%USER_KEY%%',
    '__CUSTOMER_ID__',
    '__customer_id__',
    '*|KEY|*',
    '[[key]]',
    '$user',
    '[email]',
    '__user_id__',
    'user-undefined',
    'undefined undefined',
    '{3f2504e0-4f89-11d3-9a0c-0305e82c3301}',
    '@anna',
    '%40anna',
    "it's\\{{x",
  ])
    add('kiosk-1', id, random.int(0, 90) * DAY)
  return said
}

const DECIDED = [
  { browser: 'kiosk-1', user: 'test', state: 'joined' },
  { browser: 'tester-3', user: 'tester', state: 'undone' },
  { browser: 'crowd', user: 'c-é7', state: 'joined' },
] as const

let clickhouse: ClickHouse
const said = whatWasSaid()

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  await clickhouse.client.insert({
    table: 'slotstream.events',
    values: said.flatMap(({ browser, user, at }, index) => [
      event({ anonymous_id: browser, user_id: user, timestamp: at }, index * 2),
      event({ anonymous_id: browser, user_id: '', timestamp: at + 1 }, index * 2 + 1),
    ]),
    format: 'JSONEachRow',
  })
  await clickhouse.client.insert({
    table: 'slotstream.identity_decisions',
    values: DECIDED.map(({ browser, user, state }, index) => ({
      site_id: 'shop',
      anonymous_id: browser,
      user_id: user,
      state,
      cause: 'a test',
      decided_at: '2026-06-01 00:00:00',
      stream_seq: index,
    })),
    format: 'JSONEachRow',
  })
})
afterAll(() => clickhouse?.stop())

function event({ timestamp, ...ids }: { timestamp: number; anonymous_id: string; user_id: string }, seq: number) {
  const time = isoTime(timestamp).replace('T', ' ').replace('Z', '')
  const times = { timestamp: time, original_timestamp: time, received_at: time }
  return {
    site_id: 'shop',
    message_id: `m${seq}`,
    type: 'identify',
    sender: 'public',
    stream_seq: seq,
    ...ids,
    ...times,
  }
}

const query = async <T>(sql: string) => (await clickhouse.client.query({ query: sql, format: 'JSONEachRow' })).json<T>()

/** State of each pair as profiles have it, and the guard of those that are held. */
function fromProfiles(): Map<string, string> {
  const merges = mergesOfMessages('shop', [
    ...DECIDED.map(({ browser, user, state }) => ({
      anonymousId: browser,
      userId: user,
      link: { decision: { state, at: 0, cause: 'a test' } },
    })),
    ...said.map(({ browser, user, at }) => ({
      anonymousId: browser,
      userId: user,
      link: { firstAt: at, lastAt: at, cause: 'identify' },
    })),
  ])
  return new Map(merges.map(({ browser, userId, state, cause }) => [`${browser} ${userId}`, stateOf({ state, cause })]))
}

const stateOf = ({ state, cause }: { state: string; cause: string }) => (state === 'held' ? `${state} ${cause}` : state)

describe('what guards hold back', () => {
  it('is in `identities` as profiles have it', async () => {
    const rows = await query<Record<'anonymous_id' | 'user_id' | 'state' | 'cause', string>>(
      'SELECT anonymous_id, user_id, state, cause FROM slotstream.identities',
    )
    const expected = fromProfiles()
    expect(rows.length).toBe(new Set(said.map(({ browser, user }) => `${browser} ${user}`)).size)
    const found = new Map(rows.map(row => [`${row.anonymous_id} ${row.user_id}`, stateOf(row)]))
    const different = [...found].filter(([pair, state]) => expected.get(pair) !== state)
    expect(different.map(([pair, state]) => ({ pair, state, expected: expected.get(pair) }))).toEqual([])
    for (const state of ['held shared_id', 'held users_per_browser', 'held browsers_per_user', 'undone', 'joined'])
      expect([...found.values()]).toContain(state)
  })

  it('belongs to the browser, and the rest of it to the users who are left', async () => {
    const states = fromProfiles()
    const rows = await query<Record<'anonymous_id' | 'user_id' | 'person_id', string>>(
      "SELECT anonymous_id, user_id, person_id FROM slotstream.person_events WHERE site_id = 'shop'",
    )
    expect(rows.length).toBe(said.length * 2)
    for (const { anonymous_id, user_id, person_id } of rows) {
      const isJoined = states.get(`${anonymous_id} ${user_id}`) === 'joined'
      if (user_id !== '')
        expect([anonymous_id, user_id, person_id]).toEqual([anonymous_id, user_id, isJoined ? user_id : anonymous_id])
      else if (person_id !== anonymous_id) expect(states.get(`${anonymous_id} ${person_id}`)).toBe('joined')
    }
  })

  it('does not count towards the turns of the users who are left', async () => {
    expect(
      await query(`SELECT person_id, count() AS rows FROM slotstream.person_events
        WHERE site_id = 'shop' AND anonymous_id = 'busy' AND user_id = '' GROUP BY person_id ORDER BY person_id`),
    ).toEqual([
      { person_id: 'ann', rows: 120 },
      { person_id: 'bob', rows: 120 },
    ])
  })
})
