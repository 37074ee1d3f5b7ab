import { startDecisions, startProfiles } from '@slotstream/aggregator'
import {
  type DecideReply,
  type DecideRequest,
  type DecisionEnvelope,
  type DecisionRecord,
  decideSubject,
  type EventEnvelope,
  keyToken,
  type SlotDecision,
  type StoredMessage,
  streamSubject,
} from '@slotstream/protocol'
import {
  connectNats,
  createLog,
  createMetrics,
  createPublisher,
  provision,
  readWhole,
  sharedSettings,
} from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { startNatsServer } from '../support/nats-server.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

const SITE = 'shop'
const SLOTS = ['fresh', 'any-age', 'of-none']
const MAX_AGE_MS = 1_000

/** Messages of others in the visitor's partition, at most: far more than are applied within a second. */
const ENVELOPES = 2_000
const MESSAGES = 200

/** Envelopes that are published together. */
const TOGETHER = 100

const log = createLog('test')
log.level = 'silent'

describe('a slot with a maxAge, of a partition that lags behind', () => {
  let server: Awaited<ReturnType<typeof startNatsServer>>
  let nats: Awaited<ReturnType<typeof connectNats>>
  let lane: Awaited<ReturnType<typeof connectNats>>
  let profiles: Awaited<ReturnType<typeof startProfiles>>
  let decisions: Awaited<ReturnType<typeof startDecisions>>
  let publisher: ReturnType<typeof createPublisher>
  let lanePublisher: ReturnType<typeof createPublisher>

  beforeAll(async () => {
    server = await startNatsServer()
    nats = await connectNats(server.url, 'test', log)
    lane = await connectNats(server.url, 'lane', log)
    const installation = await provision(nats, sharedSettings({ PARTITIONS: '1' }), log)
    const put = (kind: string, id: string, fields: object) =>
      installation.buckets.catalog.put(`${SITE}.${kind}.${keyToken(id)}`, JSON.stringify({ id, ...fields }))
    await put('slot', 'fresh', { policy: { type: 'affinity' }, maxAge: '1s' })
    await put('slot', 'any-age', { policy: { type: 'affinity' } })
    await put('slot', 'of-none', { policy: { type: 'random' }, maxAge: '1s' })
    for (const slot of SLOTS) await put('content', `for-${slot}`, { slots: [slot], category: 'camp' })
    publisher = createPublisher(nats)
    lanePublisher = createPublisher(lane)
    const parts = { nats, publisher, installation, metrics: createMetrics(), log }
    profiles = await startProfiles({ ...parts, lane, identity: someIdentity() })
    decisions = await startDecisions({ ...parts, nats: lane, publisher: lanePublisher, profiles })
    await until(
      'the profiles are up to date',
      () => profiles.missing(),
      missing => missing.length === 0,
    )
  })
  afterAll(async () => {
    await decisions?.stop()
    await profiles?.stop()
    publisher?.close()
    lanePublisher?.close()
    await lane?.close()
    await nats?.close()
    await server?.stop()
  })

  async function ask(): Promise<SlotDecision[]> {
    const slots = SLOTS.map(id => ({ id }))
    const request: DecideRequest = {
      ...{ siteId: SITE, visitorId: 'ann', anonymousId: 'ann', slots, after: 0, deadlineMs: 5_000, explain: false },
    }
    const reply = await nats.connection.request(decideSubject(0), JSON.stringify(request), { timeout: 10_000 })
    return reply.json<DecideReply>().decisions
  }

  /** Puts many messages of others into the stream, until enough is there. Resolves to the sequence of the last one. */
  async function flood(isEnough: () => boolean): Promise<number> {
    const receivedAt = new Date().toISOString()
    let last = 0
    for (let n = 0; n < ENVELOPES && !isEnough(); n += TOGETHER) {
      const numbers = Array.from({ length: TOGETHER }, (_, place) => n + place)
      const acks = numbers.map(number =>
        lanePublisher.publish(streamSubject('events', 0), envelopeOf(number, receivedAt)),
      )
      last = Math.max(last, ...(await Promise.all(acks)).map(({ seq }) => seq))
    }
    return last
  }

  function envelopeOf(number: number, receivedAt: string): string {
    const visitorId = `other-${number % 50}`
    const messages = Array.from(
      { length: MESSAGES },
      (_, place): StoredMessage => ({
        ...{ messageId: `${number}-${place}`, type: 'track', event: 'Product Viewed', anonymousId: visitorId },
        ...{ timestamp: receivedAt, properties: { category: 'camp', product_id: `p${place}` } },
      }),
    )
    return JSON.stringify({ siteId: SITE, visitorId, receivedAt, messages } satisfies EventEnvelope)
  }

  /** Records by decision, and their rows in ClickHouse. */
  async function recorded(): Promise<Map<string, { record: DecisionRecord; row: Record<string, unknown> }>> {
    const all = new Map<string, { record: DecisionRecord; row: Record<string, unknown> }>()
    for await (const message of readWhole(nats, 'DECISIONS', log)) {
      const text = message.string()
      const storedAt = new Date().toISOString()
      const rows = decisionRows(
        { seq: message.seq, subject: message.subject, text, storedAt, deleted: false },
        message.seq,
      )
      for (const [index, record] of message.json<DecisionEnvelope>().decisions.entries())
        all.set(record.decisionId, { record, row: JSON.parse(rows[index]!.line) })
    }
    return all
  }

  it('leaves the page its own content, and says so in the record', async () => {
    const [before] = await until('it answers', ask, ([fresh]) => fresh?.outcome === 'served')
    expect(before).toMatchObject({ ages: { affinities: 0 } })

    const answers: SlotDecision[][] = []
    let isStale = false
    const flooding = flood(() => isStale)
    // While it lags, whatever the machine makes of that.
    await until(
      'an answer is stale',
      async () => {
        answers.push(await ask())
        return answers.at(-1)![0]!.outcome
      },
      outcome => outcome === 'stale',
    )
    isStale = true
    const last = await flooding
    expect(await profiles.waitFor(0, last, 120_000)).toBe(true)
    await until(
      'an answer is fresh again',
      async () => {
        answers.push(await ask())
        return answers.at(-1)![0]!.outcome
      },
      outcome => outcome === 'served',
    )

    const records = await recorded()
    const late = answers.filter(([fresh]) => fresh!.outcome === 'timeout')
    for (const decision of late.flat()) expect(decision).toMatchObject({ outcome: 'timeout', items: [] })
    for (const [fresh, anyAge, ofNone] of answers.filter(each => !late.includes(each))) {
      const age = fresh!.ages!.affinities!
      const { record, row } = records.get(fresh!.decisionId)!
      expect(fresh!.outcome).toBe(age > MAX_AGE_MS ? 'stale' : 'served')
      expect(fresh!.items.map(({ contentId }) => contentId)).toEqual(age > MAX_AGE_MS ? [] : ['for-fresh'])
      expect(record).toMatchObject({ outcome: fresh!.outcome, features: { ages: { affinities: age } } })
      expect(row).toMatchObject({ outcome: fresh!.outcome, content_ids: record.contentIds, features: record.features })
      // Without a demand the age is told; what asks for nothing of a person is as fresh as ever.
      expect(anyAge).toMatchObject({ outcome: 'served', ages: { affinities: age } })
      expect(ofNone).toMatchObject({ outcome: 'served', items: [{ contentId: 'for-of-none' }] })
    }
  }, 240_000)
})
