import {
  type DeclaredFeature,
  type EventEnvelope,
  type FeatureStates,
  type Profile,
  partitionOf,
  streamSubject,
  tombstoneKey,
} from '@slotstream/protocol'
import { createLog, type Nats } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildProfiles } from '#aggregator/commands/rebuild/rebuild-profiles.js'
import { createSitesDefinitions } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '#aggregator/profiles/definitions/watch-definitions.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { type Owner, startOwner as startOwnerOf } from '../support/profiles-owner.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

const SITE = 'shop'
const PARTITIONS = 4
const VISITORS = 300
const EVENTS = 20_000

const SEEN = { name: 'seen', source: { event: 'Product Viewed' }, aggregate: 'count' } as const
const BY_CATEGORY = { ...SEEN, by: 'properties.category' } as const
const CHEAP = { ...SEEN, source: { ...SEEN.source, where: { 'properties.price': { $lt: 10 } } } } as const
const IN_SESSION = { ...SEEN, name: 'seen_now', window: 'session' } as const

interface Value {
  value: unknown
  version: string
  since?: number
  filling?: true
}

describe('a feature that is declared later', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let collector: string
  let owner: Owner
  let sent = 0

  const startOwner = (name: string, fillRate = 0) => startOwnerOf(broker.url, name, PARTITIONS, () => ({ fillRate }))

  beforeAll(async () => {
    broker = await startBroker({ PARTITIONS: String(PARTITIONS) })
    collector = await broker.collector()
    await putSite(collector, SITE)
    await publish(EVENTS)
    owner = await startOwner('one')
  })
  afterAll(async () => {
    await owner?.stop()
    await broker?.stop()
  })

  /** Puts views of products into the stream, some of them twice. */
  async function publish(count: number): Promise<void> {
    const end = sent + count
    const { nats } = broker
    while (sent < end) {
      const together = Array.from({ length: Math.min(500, end - sent) }, () => envelopeOf(sent++))
      await Promise.all(together.map(envelope => send(nats, envelope)))
    }
  }

  async function admin(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${collector}/v1/admin/sites/${SITE}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  const declare = (...features: DeclaredFeature[]) => admin('PUT', '/features', { features })
  const valuesOf = async (visitorId: string) =>
    ((await admin('GET', `/profiles/${visitorId}`)) as { features: Record<string, Value> }).features

  /** Waits until a feature of a visitor counts history, in its declared version. */
  const filled = async (visitorId: string, name: string): Promise<Value> =>
    (await until(
      `${name} of ${visitorId} has its history`,
      async () => (await valuesOf(visitorId))[name],
      value => value !== undefined && !value.filling && value.since === undefined,
    )) as Value

  /** Waits until the owner has applied all that was sent. */
  async function applied(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const last = await broker.nats.manager.streams.getMessage('EVENTS', {
        last_by_subj: streamSubject('events', partition),
      })
      expect(await owner.profiles.waitFor(partition, last?.seq ?? 0, 60_000)).toBe(true)
    }
  }

  async function profilesOfAll(): Promise<Map<string, Profile>> {
    const visitors = Array.from({ length: VISITORS }, (_, visitor) => `v${visitor}`)
    // A process that gets no time may lose a partition for a moment.
    const read = await until(
      'all profiles',
      () => Promise.all(visitors.map(visitor => owner.profiles.profileOf(SITE, visitor))),
      profiles => profiles.every(profile => profile !== undefined),
    )
    return new Map(read.map(profile => [profile!.visitorId, profile!]))
  }

  it('counts all messages of before within seconds, while more of them arrive', async () => {
    await applied()
    const arriving = publish(2_000)
    await declare(SEEN, IN_SESSION)
    await filled('v7', 'seen')
    await arriving
    await applied()
    const { seen, seen_now } = await valuesOf('v7')
    expect(seen).toEqual({ value: viewsOf(7, sent), version: seen!.version, ageMs: expect.any(Number) })
    expect(seen_now).not.toHaveProperty('since')
    expect(await admin('GET', '/features/seen/explain')).not.toHaveProperty('filling')
    const text = await owner.metrics.registry.metrics()
    expect(Number(/^slotstream_profiles_fill_messages_total (\d+)/m.exec(text)?.[1])).toBeGreaterThanOrEqual(EVENTS)
    expect(text).toMatch(/^slotstream_profiles_fill_partitions 0$/m)
  })

  it('serves the former feature of the name until the history of the new one is counted', async () => {
    await owner.stop()
    // So slow that the middle of it can be seen.
    owner = await startOwner('two', 2_000)
    await declare(BY_CATEGORY)
    const before = (await until(
      'its history is being counted',
      async () => (await valuesOf('v7')).seen,
      value => value?.filling === true,
    )) as Value
    expect(before.value).toBe(viewsOf(7, sent))
    expect(await admin('GET', '/features/seen/explain')).toMatchObject({ filling: true })
    await publish(VISITORS)
    await until(
      'the former one goes on',
      async () => (await valuesOf('v7')).seen,
      value => value?.filling !== true || value.value === viewsOf(7, sent),
    )
  })

  it('has it after a process was killed in the middle', async () => {
    await until(
      'it reads history',
      async () => /^slotstream_profiles_fill_messages_total ([1-9]\d+)/m.test(await owner.metrics.registry.metrics()),
      isReading => isReading,
    )
    await owner.kill()
    owner = await startOwner('three', 2_000)
    expect((await valuesOf('v7')).seen).toMatchObject({ filling: true, value: viewsOf(7, sent) })
    expect(await admin('GET', '/features/seen/explain')).toMatchObject({ filling: true })
    await owner.stop()
    owner = await startOwner('four')
    expect((await filled('v7', 'seen')).value).toEqual(viewsByCategory(7, sent))
    expect(await admin('GET', '/features/seen/explain')).not.toHaveProperty('filling')
  })

  it('is given up for one that is declared in the middle', async () => {
    await owner.stop()
    owner = await startOwner('five', 2_000)
    await declare(SEEN)
    await until(
      'its history is being counted',
      async () => (await valuesOf('v7')).seen,
      value => value?.filling === true,
    )
    await declare(CHEAP, { ...BY_CATEGORY, name: 'categories' }, IN_SESSION)
    expect((await valuesOf('v7')).seen!.value).toEqual(viewsByCategory(7, sent))
    await owner.stop()
    owner = await startOwner('six')
    expect((await filled('v7', 'seen')).value).toBe(viewsOf(7, sent, n => priceOf(n) < 10))
    expect((await filled('v7', 'categories')).value).toEqual(viewsByCategory(7, sent))
  })

  it('does not count messages from before the deletion of a person', async () => {
    const half = Math.floor(sent / 2)
    const before = START + half * 1_000
    const { tombstones } = broker.installation.buckets
    const { keyed } = broker.installation.privacy
    await tombstones.put(tombstoneKey(keyed, SITE, 'anonymousId', 'v8'), JSON.stringify({ all: before }))
    await declare(CHEAP, { ...BY_CATEGORY, name: 'categories' }, IN_SESSION, { ...SEEN, name: 'kept' })
    const isLater = (n: number) => START + n * 1_000 > before
    expect((await filled('v8', 'kept')).value).toBe(viewsOf(8, sent, isLater))
    expect((await filled('v7', 'kept')).value).toBe(viewsOf(7, sent))
    await tombstones.purge(tombstoneKey(keyed, SITE, 'anonymousId', 'v8'))
  })

  it('holds what a rebuild gives', async () => {
    await applied()
    const before = await profilesOfAll()
    const definitions = createSitesDefinitions(log)
    const bucket = broker.installation.buckets.definitions
    const watching = await watchDefinitions(broker.nats, bucket, definitions.set, log)
    expect(await rebuildProfiles({ ...owner, definitions, print: () => {} })).toBe(1)
    watching.stop()
    await until(
      'the other generation answers',
      async () => /^slotstream_profiles_generation 1$/m.test(await owner.metrics.registry.metrics()),
      isSwitched => isSwitched,
    )
    expect(await valuesOf('v7')).toMatchObject({ seen: { value: viewsOf(7, sent, n => priceOf(n) < 10) } })
    expect((await valuesOf('v7')).seen).not.toHaveProperty('filling')
    const after = await profilesOfAll()
    const { features } = definitions.of(SITE)
    for (const [visitorId, profile] of before) {
      // The deletion that was taken back is none.
      if (visitorId === 'v8') continue
      const states = (of: Profile) => held(of.features!, features.byVersion)
      expect([visitorId, states(profile)]).toEqual([visitorId, states(after.get(visitorId)!)])
    }
  })

  it('counts from the first message that the stream still has, and says so', async () => {
    const { state } = await broker.nats.manager.streams.info('EVENTS')
    await broker.nats.manager.streams.purge('EVENTS', { seq: Math.floor(state.last_seq / 2) })
    await declare({ ...SEEN, name: 'half' })
    const half = (await until(
      'what is left is counted',
      async () => (await valuesOf('v7')).half,
      value => value !== undefined && !value.filling,
    )) as Value
    const from = Math.floor(state.last_seq / 2) - 1
    expect(half.since).toBe(from)
    const left = await seqsOf(broker.nats, 'v7', from)
    expect(half.value).toBe(new Set(left).size)
  })
})

/** What features hold, without those that the site does not have, and without the position that a profile began at. */
function held({ of, visits, past, born }: FeatureStates, versions: ReadonlyMap<string, unknown>): object {
  return { born, past, visits, of: Object.fromEntries(Object.entries(of).filter(([version]) => versions.has(version))) }
}

const START = Date.now() - 8 * 3600_000
const visitorOf = (n: number) => (n * 7) % VISITORS
const priceOf = (n: number) => n % 20
const categoryOf = (n: number) => `c${n % 3}`
/** Some messages are sent once more, under their ids. */
const idOf = (n: number) => (n % (2 * VISITORS) === 2 * VISITORS - 1 ? n - VISITORS : n)

function envelopeOf(n: number): EventEnvelope {
  const visitorId = `v${visitorOf(n)}`
  const id = idOf(n)
  const timestamp = new Date(START + id * 1_000).toISOString()
  const message = {
    messageId: `m${id}`,
    type: 'track' as const,
    event: 'Product Viewed',
    anonymousId: visitorId,
    timestamp,
    properties: { category: categoryOf(id), price: priceOf(id) },
    context: {},
  }
  return { siteId: SITE, visitorId, receivedAt: timestamp, messages: [message] }
}

async function send({ js }: Nats, envelope: EventEnvelope): Promise<void> {
  await js.publish(streamSubject('events', partitionOf(SITE, envelope.visitorId, PARTITIONS)), JSON.stringify(envelope))
}

/** The different messages of a visitor among the first `count`. */
function messagesOf(visitor: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, n) => n).filter(n => visitorOf(n) === visitor)
  return [...new Set(all.map(idOf))]
}

const viewsOf = (visitor: number, count: number, isWanted: (n: number) => boolean = () => true) =>
  messagesOf(visitor, count).filter(isWanted).length

function viewsByCategory(visitor: number, count: number): Record<string, number> {
  const views: Record<string, number> = {}
  for (const n of messagesOf(visitor, count)) views[categoryOf(n)] = (views[categoryOf(n)] ?? 0) + 1
  return views
}

/** Ids of a visitor's messages behind a sequence. */
async function seqsOf(nats: Nats, visitorId: string, after: number): Promise<string[]> {
  const consumer = await nats.js.consumers.get('EVENTS', {
    opt_start_seq: after + 1,
    filter_subjects: streamSubject('events', partitionOf(SITE, visitorId, PARTITIONS)),
  })
  const { num_pending } = await consumer.info()
  const ids: string[] = []
  let read = 0
  for await (const message of await consumer.fetch({ max_messages: num_pending })) {
    const envelope = message.json<EventEnvelope>()
    if (envelope.visitorId === visitorId) ids.push(...envelope.messages.map(({ messageId }) => messageId))
    if (++read === num_pending) break
  }
  return ids
}
