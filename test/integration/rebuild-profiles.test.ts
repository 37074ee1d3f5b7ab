import { compileFeatures, featureValues } from '@slotstream/core'
import {
  type EventEnvelope,
  type FeatureDefinition,
  type Profile,
  partitionOf,
  profileKey,
  streamSubject,
} from '@slotstream/protocol'
import { createMetrics, provision, sharedSettings } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { startProfiles } from '#aggregator/profiles/role.js'
import { startReport } from '#aggregator/status/report.js'
import { createSkewTracker } from '#aggregator/status/skew-tracker.js'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { lastEvent } from '../support/last-event.js'
import { profilesOfStream } from '../support/profiles-of-stream.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, stored, type World } from './warehouse-world.js'

const SITE = 'demo'
const VISITORS = 40

let clickhouse: ClickHouse
let world: World

const { beginAnew } = setUpWarehouse(current => {
  ;({ clickhouse, world } = current)
})

const partitionFor = (visitorId: string) => partitionOf(SITE, visitorId, world.installation.partitions)

async function track(count: number, first = 0) {
  for (let i = first; i < first + count; i++) {
    const visitorId = `v${i % VISITORS}`
    const message = stored({
      anonymousId: visitorId,
      ...(i % 7 === 0
        ? { type: 'identify', event: undefined, userId: `u${i % VISITORS}`, traits: { n: i } }
        : { event: 'Product Viewed', properties: { category: `c${i % 3}` } }),
    })
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt: message.timestamp, messages: [message] }
    await world.nats.js.publish(streamSubject('events', partitionFor(visitorId)), JSON.stringify(envelope))
  }
}

const UNDONE = { state: 'undone', at: Date.UTC(2026, 0, 1), cause: 'a test' } as const

/** Tells both sides that a browser and a user are to stay apart. */
async function undo(anonymousId: string, userId: string) {
  const identity = [{ anonymousId, userId, decision: UNDONE }]
  const receivedAt = new Date(UNDONE.at).toISOString()
  for (const visitorId of [anonymousId, `user:${userId}`]) {
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt, identity, messages: [] }
    await world.nats.js.publish(streamSubject('events', partitionFor(visitorId)), JSON.stringify(envelope))
  }
}

/** An aggregator with profiles and warehouse, as the process has it. */
async function startAggregator(layout: NodeJS.ProcessEnv = {}) {
  const { nats, publisher, log } = world
  const metrics = createMetrics()
  const installation = await provision(nats, sharedSettings(layout), log)
  const parts = { nats, publisher, installation, metrics, log, identity: someIdentity() }
  const profiles = await startProfiles(parts)
  const warehouse = startWarehouse({ ...parts, clickhouse: clickhouse.account })
  const report = startReport({
    ...parts,
    roles: ['profiles', 'warehouse'],
    skewTracker: createSkewTracker(),
    applied: profiles.applied,
    loaded: warehouse.loaded,
  })
  return {
    profiles,
    async stop() {
      report.stop()
      await Promise.all([profiles.stop(), warehouse.stop()])
    },
  }
}

const run = (from: 'stream' | 'events') =>
  rebuild({ from, only: ['profiles'] }, { ...world, print: () => {}, clickhouse: clickhouse.client })

/** Profiles of browsers. */
async function fromTheStream(): Promise<Map<string, Profile>> {
  const profiles = [...(await profilesOfStream(world.nats, world.installation)).values()]
  return new Map(profiles.filter(({ events }) => events > 0).map(profile => [profile.visitorId, profile]))
}

/** Browsers that each user named: the user's own partition knows of them. */
async function browsersOfUsers({ profiles }: Aggregator): Promise<(string[] | undefined)[]> {
  const users = Array.from({ length: VISITORS }, (_, i) => profiles.profileOf(SITE, `user:u${i}`))
  return (await Promise.all(users)).map(user => user?.links && Object.keys(user.links))
}

/** Each browser whose messages name a user names the one of its own number. */
const EXPECTED_BROWSERS = (messages: number) =>
  Array.from({ length: VISITORS }, (_, i) =>
    Array.from({ length: messages }, (_each, n) => n).some(n => n % 7 === 0 && n % VISITORS === i)
      ? [`v${i}`]
      : undefined,
  )

/** Product views among the first messages of a visitor, see `track`. */
function countOfViews(count: number, visitor: number): number {
  return Array.from({ length: count }, (_, n) => n).filter(n => n % VISITORS === visitor && n % 7 !== 0).length
}

type Aggregator = Awaited<ReturnType<typeof startAggregator>>

async function profilesOf({ profiles }: Aggregator): Promise<Map<string, Profile>> {
  const found = new Map<string, Profile>()
  for (let i = 0; i < VISITORS; i++) {
    const partition = partitionFor(`v${i}`)
    const last = await lastEvent(world.nats, partition)
    await until(
      'it counts',
      () => profiles.waitFor(partition, last, 1_000),
      counts => counts,
    )
    found.set(`v${i}`, (await profiles.profileOf(SITE, `v${i}`))!)
  }
  return found
}

const inClickHouse = () =>
  world.query<{ anonymous_id: string; sessions: number; traits: object }>(
    'SELECT anonymous_id, sessions, traits FROM slotstream.profiles ORDER BY anonymous_id',
  )

/** Puts nonsense into the bucket, where the role finds it when it starts. */
async function corrupt() {
  const { partitions, privacy, buckets } = world.installation
  const { profiles } = buckets
  const key = (visitorId: string) => profileKey(privacy.keyed, { siteId: SITE, visitorId }, partitions)
  const entry = await profiles.get(key('v1'))
  const profile = entry!.json<Profile>()
  await profiles.put(key('v1'), JSON.stringify({ ...profile, sessions: 999, affinities: { nonsense: 7 } }))
  await profiles.put(key('ghost'), JSON.stringify({ ...profile, visitorId: 'ghost', anonymousId: 'ghost' }))
}

describe('rebuilding profiles', () => {
  it('gives what the stream gives, while events keep arriving, and switches everybody', async () => {
    await track(200)
    let aggregator = await startAggregator()
    await profilesOf(aggregator)
    await aggregator.stop()
    await corrupt()
    aggregator = await startAggregator()
    expect((await profilesOf(aggregator)).get('v1')?.sessions).toBe(999)
    await until('the ghost', inClickHouse, rows => rows.some(row => row.anonymous_id === 'ghost'))

    const arriving = track(600, 200)
    expect(await run('stream')).toBeUndefined()
    await arriving
    const expected = await fromTheStream()
    expect(await profilesOf(aggregator)).toEqual(expected)
    expect(await aggregator.profiles.profileOf(SITE, 'ghost')).toBeUndefined()
    const rows = await until(
      'ClickHouse has them',
      inClickHouse,
      found => found.length === VISITORS && found.every(row => row.sessions < 999),
    )
    expect(rows.map(row => [row.anonymous_id, row.sessions])).toEqual(
      [...expected.values()].map(p => [p.anonymousId, p.sessions]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
    )
    const streams = await world.nats.manager.streams.names().next()
    expect(streams).toContain('KV_profiles_1')
    expect(streams).not.toContain('KV_profiles')

    // What starts now finds the new generation, and goes on in it.
    await aggregator.stop()
    await track(50, 800)
    aggregator = await startAggregator()
    expect(await profilesOf(aggregator)).toEqual(await fromTheStream())
    expect(await run('stream')).toBeUndefined()
    expect(await profilesOf(aggregator)).toEqual(await fromTheStream())

    // A feature that is declared now counts the messages of before, too, and content that they end is ended.
    const seen: FeatureDefinition = { name: 'seen', source: { event: 'Product Viewed' }, aggregate: 'count' }
    await world.installation.buckets.definitions.put(`${SITE}.features`, JSON.stringify({ items: [seen] }))
    const content = { id: 'tent', slots: ['hero'], payload: {}, stopAfter: 'Product Viewed' }
    await world.installation.buckets.catalog.put(`${SITE}.content.tent`, JSON.stringify(content))
    expect(await run('stream')).toBeUndefined()
    const { features, endings } = (await profilesOf(aggregator)).get('v1')!
    expect(endings).toEqual([['Product Viewed', '', expect.any(Number)]])
    const values = featureValues(
      features!,
      compileFeatures([], [seen], () => () => true),
      Date.now(),
    )
    expect(values.get('seen')).toMatchObject({ value: countOfViews(850, 1), since: 0 })
    await aggregator.stop()
  })

  it('takes from events what the streams have no more', async () => {
    await beginAnew({ EVENTS_STREAMS: '3' })
    await track(40)
    await undo('v0', 'u0')
    await track(260, 40)
    const aggregator = await startAggregator()
    const whole = await fromTheStream()
    await until(
      'all rows',
      () => world.number('SELECT count() FROM slotstream.events'),
      n => n === 300,
    )
    const decided = 'SELECT anonymous_id, user_id, state, cause, length(merge_id) AS n FROM slotstream'
    const undone = [{ anonymous_id: 'v0', user_id: 'u0', state: 'undone', cause: 'a test', n: expect.anything() }]
    expect(await world.query(`${decided}.identity_decisions`)).toEqual(undone)
    // A view's table has a block a moment after its own.
    const apart = await until(
      'the view follows',
      () => world.query(`${decided}.identities WHERE state != 'joined'`),
      rows => rows.length > 0,
    )
    expect(apart).toEqual(undone)
    for (const { name } of world.installation.streams.events) {
      const { last_seq } = (await world.nats.manager.streams.info(name)).state
      await world.nats.manager.streams.purge(name, { seq: Math.ceil(last_seq / 2) })
    }
    await expect(run('stream')).rejects.toThrow('use --from events')
    expect(await run('events')).toBeUndefined()
    expect(await profilesOf(aggregator)).toEqual(whole)
    expect(await browsersOfUsers(aggregator)).toEqual(EXPECTED_BROWSERS(300))
    for (const [visitorId, other] of [
      ['v0', 'u0'],
      ['user:u0', 'v0'],
    ] as const)
      expect((await aggregator.profiles.profileOf(SITE, visitorId))?.links?.[other]?.decision).toEqual(UNDONE)
    await aggregator.stop()
  })

  it('goes on when the streams and their layout were lost, even in another number of streams', async () => {
    await track(200)
    let aggregator = await startAggregator()
    const counted = () => world.number('SELECT count() FROM slotstream.events')
    await until('all rows', counted, n => n === 200)
    await profilesOf(aggregator)
    await aggregator.stop()

    for (const name of ['EVENTS', 'DECISIONS', 'SIGNALS', 'REJECTED']) await world.nats.manager.streams.delete(name)
    await world.installation.buckets.meta.delete('installation')
    const layout = { EVENTS_STREAMS: '3', DECISIONS_STREAMS: '2' }
    aggregator = await startAggregator(layout)
    world.installation.streams = (await provision(world.nats, sharedSettings(layout), world.log)).streams
    expect(await run('events')).toBeUndefined()
    await track(200, 200)
    await until('the new rows, too', counted, n => n === 400)
    expect(await world.number('SELECT uniqExact(message_id) FROM slotstream.events')).toBe(400)
    expect([...(await profilesOf(aggregator)).values()].map(({ events }) => events)).toEqual(Array(VISITORS).fill(10))
    await aggregator.stop()
    aggregator = await startAggregator()
    expect([...(await profilesOf(aggregator)).values()].map(({ events }) => events)).toEqual(Array(VISITORS).fill(10))
    await aggregator.stop()
  })
})
