import { contentValues, type Learned } from '@slotstream/core'
import {
  contentFillsKey,
  type DeclaredFeature,
  type EventEnvelope,
  type LearningEnvelope,
  type Person,
  parseContentFills,
  partitionOf,
  streamSubject,
} from '@slotstream/protocol'
import { createLog, parseEntry, pause } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanStreams } from '#aggregator/people/clean/clean-streams.js'
import { unlearn } from '#aggregator/people/clean/unlearn.js'
import type { ProfilesDeps } from '#aggregator/profiles/role.js'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from '../support/collector.js'
import { foldStreams, sumsOf } from '../support/learned.js'
import { type Owner, startOwner as startOwnerOf } from '../support/profiles-owner.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const SITE = 'shop'
const PARTITIONS = 4
const PARTITION_IDS = Array.from({ length: PARTITIONS }, (_, partition) => partition)
const VISITORS = 200

const SEEN = { name: 'seen', source: { event: 'Product Viewed' }, aggregate: 'count', entity: 'content' } as const
const WORTH = { ...SEEN, name: 'worth', value: 'properties.price', aggregate: 'sum', by: 'properties.brand' } as const
const CHEAP = { ...SEEN, source: { ...SEEN.source, where: { 'properties.price': { $lt: 10 } } } } as const
const DEAR = { ...SEEN, source: { ...SEEN.source, where: { 'properties.price': { $gte: 10 } } } } as const
const OTHER = { ...SEEN, name: 'other', source: { event: 'Never' } } as const

const log = createLog('test')
log.level = 'silent'

let broker: Awaited<ReturnType<typeof startBroker>>
let clickhouse: ClickHouse
let collector: string
let owner: Owner
let sent = 0
/** Messages of fills that the owner has tried to publish. */
let attempts = 0

beforeAll(async () => {
  ;[broker, clickhouse] = await Promise.all([startBroker({ PARTITIONS: String(PARTITIONS) }), startClickHouse()])
  collector = await broker.collector()
  await putSite(collector, SITE)
  await publish(4_000)
  owner = await startOwner('one')
})
afterAll(async () => {
  await owner?.stop()
  await broker?.stop()
  await clickhouse?.stop()
})

/** Starts a process. Its fills fail after some messages of learning records; by default they do not. */
function startOwner(name: string, mostFilled = Number.POSITIVE_INFINITY): Promise<Owner> {
  return startTelling(name, async count => {
    if (count > mostFilled) throw new Error('the network is gone')
  })
}

/** Starts a process. `beforeFill` is called before each message of learning records of a fill. */
function startTelling(name: string, beforeFill: (count: number) => Promise<void>, least = PARTITIONS): Promise<Owner> {
  attempts = 0
  const telling = ({ publisher }: ProfilesDeps): Partial<ProfilesDeps> => ({
    publisher: {
      ...publisher,
      async publish(subject, data, ...more) {
        if (String(data).includes('"batch":"fill-')) await beforeFill(++attempts)
        return publisher.publish(subject, data, ...more)
      },
    },
  })
  return startOwnerOf(broker.url, name, PARTITIONS, telling, least)
}

async function declare(...features: DeclaredFeature[]): Promise<void> {
  const response = await fetch(`${collector}/v1/admin/sites/${SITE}/features`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ features }),
  })
  expect(response.status, await response.clone().text()).toBe(200)
}

const NOON = Date.now() - 6 * 3_600_000
const visitorOf = (n: number) => (n * 7) % VISITORS
/** Some messages are sent once more, under their ids. */
const idOf = (n: number) => (n % (2 * VISITORS) === 2 * VISITORS - 1 ? n - VISITORS : n)
const priceOf = (id: number) => id % 20
const contentOf = (id: number) => `c${id % 5}`

function envelopeOf(n: number): EventEnvelope {
  const id = idOf(n)
  const visitor = visitorOf(n)
  const visitorId = `v${visitor}`
  const timestamp = new Date(NOON + id * 1_000).toISOString()
  const properties = { product_id: contentOf(id), price: priceOf(id), brand: `b${id % 2}`, slotId: 'hero' }
  const ids = { messageId: `m${id}`, anonymousId: visitorId, ...(visitor % 3 === 0 && { userId: `u${visitor}` }) }
  const message = { ...ids, type: 'track' as const, event: 'Product Viewed', timestamp, properties, context: {} }
  return { siteId: SITE, visitorId, receivedAt: timestamp, messages: [message] }
}

async function publish(count: number): Promise<void> {
  const end = sent + count
  while (sent < end) {
    const together = Array.from({ length: Math.min(200, end - sent) }, () => envelopeOf(sent++))
    await Promise.all(
      together.map(envelope => {
        const subject = streamSubject('events', partitionOf(SITE, envelope.visitorId, PARTITIONS))
        return broker.nats.js.publish(subject, JSON.stringify(envelope))
      }),
    )
  }
}

/** Values of all content by what was sent: for each message once. */
function expectedOf(isCounted: (id: number) => boolean, weightOf: (id: number) => number): Record<string, number> {
  const sums: Record<string, number> = {}
  const ids = new Set(Array.from({ length: sent }, (_, n) => idOf(n)))
  for (const id of ids) if (isCounted(id)) sums[contentOf(id)] = (sums[contentOf(id)] ?? 0) + weightOf(id)
  return Object.fromEntries(Object.entries(sums).sort())
}

/** What readers of the streams know of a feature, by content. */
function valuesIn(learned: Learned, name: string): Record<string, unknown> {
  const { features } = owner.profiles.definitionsOf(SITE)
  const all = [...(learned.contents.sites.get(SITE)?.byId ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    all.map(([id, { rows }]) => [id, contentValues(rows, features, Date.now()).get(name)?.value]),
  )
}

const untilValues = (name: string, expected: object) =>
  until(
    `${name} has its history`,
    async () => valuesIn(await foldStreams(broker), name),
    values => JSON.stringify(values) === JSON.stringify(expected),
  )

/** Waits until no fill is under way, and everything that was sent is told. */
async function settled(): Promise<void> {
  await until(
    'all fills are done',
    async () => {
      const { meta } = broker.installation.buckets
      const entries = await Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) => meta.get(contentFillsKey(SITE, partition))),
      )
      const all = entries.map(entry => entry && parseEntry(entry, parseContentFills))
      const states = all.flatMap(fills => (fills?.ok ? Object.values(fills.value) : []))
      return { isAny: states.length > 0, open: states.filter(({ isDone }) => !isDone).length, ...waiting() }
    },
    ({ isAny, open, filling }) => isAny && open === 0 && filling === 0,
  )
}

const waiting = () => ({ filling: owner.profiles.definitionsOf(SITE).features.filling.size })

const ALL = () => true
const ONE = () => 1

describe('a feature of content that is declared later', () => {
  it('counts all messages of before, each once, while more of them arrive', async () => {
    const arriving = publish(1_000)
    await declare(SEEN, WORTH)
    await arriving
    await untilValues('seen', expectedOf(ALL, ONE))
    await settled()
    expect(valuesIn(await foldStreams(broker), 'seen')).toEqual(expectedOf(ALL, ONE))
    const byBrand = valuesIn(await foldStreams(broker), 'worth') as Record<string, Record<string, number>>
    const sums = Object.entries(byBrand).map(([id, amounts]) => [id, Object.values(amounts).reduce((a, b) => a + b, 0)])
    expect(Object.fromEntries(sums)).toEqual(expectedOf(ALL, priceOf))
  })

  it('is served in its former version until then', async () => {
    await owner.stop()
    owner = await startOwner('two', 0)
    await declare(CHEAP, WORTH)
    await until('its history is being counted', waiting, ({ filling }) => filling === 1)
    await publish(200)
    await untilValues('seen', expectedOf(ALL, ONE))
    expect(waiting()).toEqual({ filling: 1 })
  })

  it('has each message once after processes were killed in the middle', async () => {
    for (const most of [3, 20, 70]) {
      await owner.kill()
      owner = await startOwner(`killed after ${most}`, most)
      await publish(100)
      await until(
        'some of it is told',
        () => attempts,
        count => count > most,
      )
    }
    await owner.kill()
    owner = await startOwner('three')
    await settled()
    await untilValues(
      'seen',
      expectedOf(id => priceOf(id) < 10, ONE),
    )
  })

  it('has each message once while partitions move between two live processes in the middle', async () => {
    await owner.stop()
    const moved = new AbortController()
    // The first messages are told at once, the others hardly until another process has come.
    owner = await startTelling('giving', async count => {
      if (count > 5) await pause(1_000, moved.signal).catch(() => {})
    })
    await declare(DEAR, WORTH)
    await until(
      'some of it is told',
      () => attempts,
      count => count > 5,
    )
    const taking = await startTelling('taking', async () => {}, PARTITIONS / 2)
    expect(waiting()).toEqual({ filling: 1 })
    moved.abort()
    await publish(200)
    await settled()
    const dear = () => expectedOf(id => priceOf(id) >= 10, ONE)
    await untilValues('seen', dear())
    const served = (profiles: Owner['profiles']) => PARTITION_IDS.filter(partition => profiles.serves(partition))
    expect([...served(owner.profiles), ...served(taking.profiles)].sort()).toEqual(PARTITION_IDS)
    await taking.stop()
    await publish(200)
    await until(
      'all partitions are back',
      () => served(owner.profiles).length,
      count => count === PARTITIONS,
    )
    await untilValues('seen', dear())
    await declare(CHEAP, WORTH)
    await settled()
  })

  it('counts what came while it was not declared, and nothing twice', async () => {
    await declare(WORTH)
    await publish(300)
    await until(
      'it is gone',
      () => owner.profiles.definitionsOf(SITE).features.ofContent.byName.has('seen'),
      has => !has,
    )
    await applied()
    await declare(CHEAP, WORTH, OTHER)
    await settled()
    await publish(100)
    await untilValues(
      'seen',
      expectedOf(id => priceOf(id) < 10, ONE),
    )
  })

  it('is filled once, though partitions begin again and nothing is stored of that', async () => {
    const fills = (await fillsTold()).length
    await broker.installation.buckets.meta.purge(`filled.profiles.${SITE}`)
    await owner.stop()
    owner = await startOwner('four')
    await publish(100)
    await settled()
    await untilValues(
      'seen',
      expectedOf(id => priceOf(id) < 10, ONE),
    )
    expect((await fillsTold()).length).toBe(fills)
  })

  it('is without a person who is deleted, bit by bit', async () => {
    await applied()
    const person: Person = { siteId: SITE, userIds: [], browsers: [], anonymousIds: ['v9'] }
    const whose = { person, before: Date.now() }
    const parts = {
      ...{ nats: broker.nats, publisher: owner.publisher, installation: broker.installation },
      ...{ clickhouse: clickhouse.client, log, whose, signal: new AbortController().signal },
    }
    const isOthers = (id: number) => visitorOf(id) !== 9
    const before = await foldStreams(broker)
    expect(valuesIn(before, 'seen')).not.toEqual(expectedOf(id => isOthers(id) && priceOf(id) < 10, ONE))
    for (let time = 0; time < 2; time++) await unlearn(parts)
    const after = await foldStreams(broker)
    expect(valuesIn(after, 'seen')).toEqual(expectedOf(id => isOthers(id) && priceOf(id) < 10, ONE))
    // Readers that come later have never heard of the person, and know the same.
    expect(await cleanStreams({ ...parts, report: async () => {} })).toBeGreaterThan(0)
    const at = Date.now()
    expect(contentsOf(await foldStreams(broker), at)).toEqual(contentsOf(after, at))
    expect((await fillsTold()).filter(({ visitorId }) => visitorId === 'v9')).toEqual([])
  })
})

/** Waits until everything that was sent is applied. */
async function applied(): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const subject = streamSubject('events', partition)
    const last = await broker.nats.manager.streams.getMessage('EVENTS', { last_by_subj: subject })
    expect(await owner.profiles.waitFor(partition, last?.seq ?? 0, 60_000)).toBe(true)
  }
}

const contentsOf = (learned: Learned, at: number) => sumsOf(learned, at).filter(line => line.includes('contentId'))

/** Envelopes of fills that the stream has, and that take nothing away. */
async function fillsTold(): Promise<LearningEnvelope[]> {
  const all = await readAll<LearningEnvelope>(broker.nats, 'LEARNING')
  return all.filter(({ batch, removal }) => batch !== undefined && removal === undefined)
}
