import {
  definitionsKey,
  type EventEnvelope,
  partitionOf,
  type StoredMessage,
  streamSubject,
  visitorIdOf,
} from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanTables } from '#aggregator/people/clean/clean-tables.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from './warehouse-world.js'

const SITE = 'demo'
const VIEWED = { event: 'Product Viewed' }

/** A row of a signal of segments. */
interface Told {
  signal: string
  segment: string
  of: string
}

describe('members of segments', () => {
  let clickhouse: ClickHouse
  let world: World
  const running = new Map<string, Aggregator>()

  beforeAll(async () => {
    clickhouse = await startClickHouse()
    world = await createWorld(clickhouse, { PARTITIONS: '8' })
    await declare('features', [
      { name: 'views', source: VIEWED, by: 'properties.category', aggregate: 'count' },
      { name: 'views_3s', source: VIEWED, aggregate: 'count', window: '3s' },
    ])
    await declare('segments', [
      { name: 'campers', where: { 'features.views.camp': { $gte: 2 } } },
      { name: 'hot', where: { 'features.views_3s': { $gte: 2 } }, leaveWhere: { 'features.views_3s': { $lt: 1 } } },
    ])
    await Promise.all(['one', 'two'].map(start))
  })
  afterAll(async () => {
    await Promise.all([...running.values()].map(each => each.end('SIGKILL')))
    await world?.stop()
    await clickhouse?.stop()
  })

  const declare = (kind: 'features' | 'segments', items: object[]) =>
    world.installation.buckets.definitions.put(definitionsKey(SITE, kind), JSON.stringify({ items }))

  async function start(name: string): Promise<void> {
    const { url, username, password } = clickhouse.account
    const started = await startAggregator({
      NATS_URL: world.url,
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
      AGGREGATOR_NAME: name,
    })
    running.set(name, started)
    await until(
      'it has partitions',
      () => started.share('profiles'),
      held => (held ?? 0) > 0,
    )
  }

  const seen = (anonymousId: string, category: string, fields: Partial<StoredMessage> = {}) =>
    stored({ ...VIEWED, anonymousId, properties: { category }, ...fields })

  async function publish(visitorId: string, content: Pick<EventEnvelope, 'messages' | 'identity'>): Promise<void> {
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt: new Date().toISOString(), ...content }
    const subject = streamSubject('events', partitionOf(SITE, visitorId, world.installation.partitions))
    await world.nats.js.publish(subject, JSON.stringify(envelope))
  }

  const send = (...messages: StoredMessage[]) => publish(visitorIdOf(messages[0]!), { messages })

  /** Counts the browsers and users that were found together, and told to the partitions of users. */
  async function linksTold(): Promise<number> {
    const counts = [...running.values()].map(async ({ url }) => {
      const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })).text()
      return Number(/^slotstream_profiles_links_total (\d+)$/m.exec(text)?.[1] ?? 0)
    })
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }

  /** Signals of segments that are told of some persons, each with whose it is, in order. */
  async function told(...persons: string[]): Promise<string[]> {
    const rows = await world.query<Told>(
      `SELECT signal, details.segment::String AS segment, concat(user_id, anonymous_id) AS of
       FROM slotstream.signals WHERE signal LIKE 'segment_%' ORDER BY timestamp, received_at, signal DESC`,
    )
    return rows
      .filter(({ of }) => persons.includes(of))
      .map(({ signal, segment, of }) => `${of} ${signal.slice('segment_'.length)} ${segment}`)
  }

  const toldAtLast = (persons: string[], expected: string[]) =>
    until(
      `what ${persons} entered and left`,
      () => told(...persons),
      found => found.length >= expected.length,
    ).then(found => expect(found).toEqual(expected))

  it('enter with a message, stay until what lets them leave holds, and leave without one', async () => {
    await send(seen('b1', 'camp'), seen('b1', 'camp'))
    await until(
      'one leaves',
      () => told('b1'),
      found => found.includes('b1 left hot'),
    )
    expect((await told('b1')).sort()).toEqual(['b1 entered campers', 'b1 entered hot', 'b1 left hot'])
    const members = await world.query<{ segment: string; is_in: number; seconds: number | null }>(
      `SELECT segment, left_at IS NULL AS is_in, dateDiff('second', entered_at, left_at) AS seconds
       FROM slotstream.segment_members WHERE person_id = 'b1' ORDER BY segment
       SETTINGS output_format_json_quote_64bit_integers = 0`,
    )
    expect(members).toMatchObject([
      { segment: 'campers', is_in: 1, seconds: null },
      { segment: 'hot', is_in: 0 },
    ])
    expect(members[1]?.seconds).toBeGreaterThanOrEqual(3)
    await until(
      'the row of the profile',
      () => world.query<object>(`SELECT segments FROM slotstream.profiles WHERE anonymous_id = 'b1'`),
      ([row]) => JSON.stringify(row) === '{"segments":["campers"]}',
    )
    expect(
      await world.query(`SELECT feature, key, number, value FROM slotstream.features
        WHERE anonymous_id = 'b1' AND feature IN ('views', 'views_3s') ORDER BY feature`),
    ).toEqual([{ feature: 'views', key: 'camp', number: 2, value: '2' }])
  })

  it('of a user are those of all the user’s browsers, through a process that is killed in between', async () => {
    await send(stored({ type: 'identify', anonymousId: 'laptop', userId: 'ann' }))
    await send(seen('laptop', 'camp', { userId: 'ann' }))
    await send(stored({ type: 'identify', anonymousId: 'phone', userId: 'ann' }))
    await running.get('one')!.end('SIGKILL')
    running.delete('one')
    await send(seen('phone', 'camp', { userId: 'ann', timestamp: new Date(Date.now() - 60_000).toISOString() }))
    await start('one')
    await toldAtLast(['ann', 'laptop', 'phone'], ['ann entered campers'])
  })

  it('go over from a browser to the user it belongs to', async () => {
    const before = new Date(Date.now() - 60_000).toISOString()
    await send(seen('tablet', 'camp', { timestamp: before }), seen('tablet', 'camp', { timestamp: before }))
    await toldAtLast(['tablet'], ['tablet entered campers'])
    await send(stored({ type: 'identify', anonymousId: 'tablet', userId: 'ben' }))
    await toldAtLast(['tablet', 'ben'], ['tablet entered campers', 'tablet left campers', 'ben entered campers'])
    expect(
      await world.query(
        `SELECT person_id FROM slotstream.segment_members WHERE segment = 'campers' AND left_at IS NULL ORDER BY person_id`,
      ),
    ).toEqual(['ann', 'b1', 'ben'].map(person_id => ({ person_id })))
  })

  it('are a browser’s own while the guard of its user holds it back', async () => {
    const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
    const before = await linksTold()
    for (let index = 0; index < 50; index++)
      await send(stored({ type: 'identify', anonymousId: `desk${index}`, userId: 'staff', timestamp: ago(3_600_000) }))
    await until('the other browsers are told', linksTold, count => count >= before + 50)
    await send(seen('till', 'camp', { timestamp: ago(60_000) }), seen('till', 'camp', { timestamp: ago(60_000) }))
    const own = ['till entered campers']
    await toldAtLast(['till'], own)
    await send(stored({ type: 'identify', anonymousId: 'till', userId: 'staff' }))
    own.push('till left campers', 'till entered campers')
    await toldAtLast(['till', 'staff'], own)
    // The guard counts one less, and lets it go.
    const decision = { state: 'undone' as const, at: Date.now(), cause: 'a desk of many' }
    for (const visitorId of ['desk0', visitorIdOf({ userId: 'staff' })])
      await publish(visitorId, { identity: [{ anonymousId: 'desk0', userId: 'staff', decision }], messages: [] })
    await toldAtLast(['till', 'staff'], [...own, 'till left campers', 'staff entered campers'])
  })

  it('are told once, though everything is applied once more', async () => {
    const before = await world.query('SELECT signal_id FROM slotstream.signals ORDER BY signal_id')
    for (const each of running.values()) await each.end('SIGKILL')
    // Nothing is stored: every message is applied to what was not there.
    await world.nats.manager.streams.purge('KV_profiles')
    for await (const key of await world.installation.buckets.positions.keys('profiles.>'))
      await world.installation.buckets.positions.delete(key)
    await Promise.all(['one', 'two'].map(start))
    await send(seen('last', 'camp'), seen('last', 'camp', { timestamp: new Date(Date.now() - 60_000).toISOString() }))
    await until(
      'what came after',
      () => told('last'),
      found => found.length > 0,
    )
    const after = await world.query(
      `SELECT signal_id FROM slotstream.signals WHERE anonymous_id != 'last' ORDER BY signal_id`,
    )
    expect(after).toEqual(before)
  })

  it('leave the tables with the person who is deleted', async () => {
    const person = { siteId: SITE, userIds: ['ben'], browsers: ['tablet'], anonymousIds: [] }
    await cleanTables(
      clickhouse.client,
      { person, before: Date.now() },
      sql => sql,
      async () => {},
    )
    const left = await world.query(
      `SELECT DISTINCT person_id FROM slotstream.segment_members WHERE segment = 'campers' ORDER BY person_id`,
    )
    expect(left).toEqual(['ann', 'b1', 'last', 'staff', 'till'].map(person_id => ({ person_id })))
    expect(await world.query(`SELECT * FROM slotstream.features WHERE anonymous_id = 'tablet'`)).toEqual([])
  })
})
