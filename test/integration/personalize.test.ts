import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { startDecisions, startProfiles } from '@slotstream/aggregator'
import { applyEnvelope, recompute } from '@slotstream/core'
import {
  type DecideReply,
  type DecideRequest,
  type DecisionEnvelope,
  decideSubject,
  type EventEnvelope,
  type JsonObject,
  keyToken,
  openEnvelope,
  type Profile,
  partitionOf,
  profilesSubject,
  shareOf,
  streamSubject,
} from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReadProfiles } from '#collector/admin/profiles/read-profiles.js'
import { lastEvent } from '../support/last-event.js'
import { startNatsServer } from '../support/nats-server.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

const SITE = 'shop'
const log = createLog('test')
log.level = 'silent'

/** Connects, provisions and starts both roles; `die` is a process that ends without storing anything more. */
async function startAggregator(url: string, maxProfiles?: number) {
  const nats = await connectNats(url, 'aggregator', log)
  const installation = await provision(nats, sharedSettings({}), log)
  const metrics = createMetrics()
  const publisher = createPublisher(nats)
  const profiles = await startProfiles({
    nats,
    publisher,
    installation,
    metrics,
    log,
    identity: someIdentity(),
    maxProfiles,
  })
  const decisions = await startDecisions({ nats, publisher, installation, profiles, metrics, log })
  await until(
    'the profiles are up to date',
    () => profiles.missing(),
    missing => missing.length === 0,
  )
  await nats.connection.flush()
  return {
    profiles,
    async stop() {
      await decisions.stop()
      await profiles.stop()
      publisher.close()
      await nats.close()
    },
    async die() {
      await nats.close()
      await profiles.stop()
      publisher.close()
    },
  }
}

describe('profiles and decisions on a real NATS server', () => {
  let server: Awaited<ReturnType<typeof startNatsServer>>
  let nats: Awaited<ReturnType<typeof connectNats>>
  let installation: Awaited<ReturnType<typeof provision>>
  let aggregator: Awaited<ReturnType<typeof startAggregator>>
  let messages = 0

  beforeAll(async () => {
    server = await startNatsServer()
    nats = await connectNats(server.url, 'test', log)
    installation = await provision(nats, sharedSettings({}), log)
    await putSlot('hero', { policy: { type: 'affinity', exploration: 0 } })
    await putSlot('held', { holdout: 0.5 })
    for (const category of ['shoes', 'hats', 'bags']) await putContent(category, { category, slots: ['hero', 'held'] })
    aggregator = await startAggregator(server.url)
  })

  afterAll(async () => {
    await aggregator?.stop()
    await nats?.close()
    await server?.stop()
  })

  const putSlot = (id: string, fields: object) =>
    installation.buckets.catalog.put(`${SITE}.slot.${keyToken(id)}`, JSON.stringify({ id, ...fields }))
  const putContent = (id: string, fields: object) =>
    installation.buckets.catalog.put(
      `${SITE}.content.${keyToken(id)}`,
      JSON.stringify({ id, payload: { title: id }, ...fields }),
    )
  const partitionFor = (visitorId: string) => partitionOf(SITE, visitorId, installation.partitions)

  /** Publishes what a collector publishes; resolves to its stream position. */
  async function track(visitorId: string, event: string, category: string): Promise<number> {
    const now = new Date().toISOString()
    const envelope: EventEnvelope = {
      siteId: SITE,
      visitorId,
      receivedAt: now,
      messages: [
        {
          messageId: `m${++messages}`,
          type: 'track',
          event,
          anonymousId: visitorId,
          timestamp: now,
          properties: { category },
        },
      ],
    }
    const ack = await nats.js.publish(streamSubject('events', partitionFor(visitorId)), JSON.stringify(envelope))
    return ack.seq
  }

  async function identify(visitorId: string, traits: JsonObject): Promise<number> {
    const now = new Date().toISOString()
    const message = {
      messageId: `m${++messages}`,
      type: 'identify' as const,
      anonymousId: visitorId,
      timestamp: now,
      traits,
    }
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt: now, messages: [message] }
    const ack = await nats.js.publish(streamSubject('events', partitionFor(visitorId)), JSON.stringify(envelope))
    return ack.seq
  }

  async function ask(visitorId: string, fields: Partial<DecideRequest> = {}): Promise<DecideReply> {
    const request: DecideRequest = {
      siteId: SITE,
      visitorId,
      anonymousId: visitorId,
      slots: [{ id: 'hero' }],
      after: 0,
      deadlineMs: 5_000,
      explain: false,
      ...fields,
    }
    const reply = await nats.connection.request(decideSubject(partitionFor(visitorId)), JSON.stringify(request), {
      timeout: 10_000,
    })
    return reply.json<DecideReply>()
  }

  /** The records of the stream, newest last, by decision id. */
  async function recordOf(decisionId: string | undefined) {
    const { state } = await nats.manager.streams.info('DECISIONS')
    for (let seq = state.last_seq; seq >= state.first_seq; seq--) {
      const stored = await nats.manager.streams.getMessage('DECISIONS', { seq })
      const found = stored?.json<DecisionEnvelope>().decisions.find(record => record.decisionId === decisionId)
      if (found) return found
    }
    return undefined
  }

  /** Every visitor's profile, recomputed from the whole stream. */
  async function fromTheStream(): Promise<Map<string, Profile>> {
    const profiles = new Map<string, Profile>()
    const { last_seq } = (await nats.manager.streams.info('EVENTS')).state
    for (let seq = 1; seq <= last_seq; seq++) {
      const stored = await nats.manager.streams.getMessage('EVENTS', { seq })
      if (!stored || stored.string() === 'not JSON') continue
      const envelope = openEnvelope(stored.json<EventEnvelope>())
      const profile = applyEnvelope(profiles.get(envelope.visitorId), envelope, seq)
      if (profile) profiles.set(envelope.visitorId, profile)
    }
    return profiles
  }

  async function expectProfilesFromTheStream() {
    const expected = await fromTheStream()
    for (const [visitorId, profile] of expected) {
      const partition = partitionFor(visitorId)
      const last = await lastEvent(nats, partition)
      await until(
        'it counts',
        () => aggregator.profiles.waitFor(partition, last, 1_000),
        counts => counts,
      )
      expect(await aggregator.profiles.profileOf(SITE, visitorId)).toEqual(profile)
    }
  }

  it('says and records how old the features are that it chose by', async () => {
    const after = await track('aged', 'Product Viewed', 'hats')
    const { decisions } = await ask('aged', { after })
    expect(decisions).toMatchObject([{ outcome: 'served', ages: { affinities: 0 } }])
    expect((await recordOf(decisions[0]?.decisionId))?.features).toMatchObject({ ages: { affinities: 0 } })
  })

  it('counts in every answer what the visitor did before it', async () => {
    for (let round = 0; round < 200; round++) {
      const visitorId = `reader-${round % 20}`
      const category = ['shoes', 'hats', 'bags'][round % 3] ?? ''
      // Each round outweighs what the visitor did before.
      const weight = 2 + Math.floor(round / 20)
      let after = 0
      for (let i = 0; i < weight; i++) after = await track(visitorId, 'Order Completed', category)
      const profile = () => aggregator.profiles.profileOf(SITE, visitorId)
      const { decisions } = await ask(visitorId, { after, explain: true })
      const affinities = decisions[0]?.reason?.affinities ?? {}
      const best = Object.entries(affinities).sort(([, a], [, b]) => b - a)[0]?.[0]
      expect((await profile())?.seq).toBe(after)
      expect(affinities[category]).toBeGreaterThanOrEqual(weight * 5 * 0.99)
      expect(decisions[0]).toMatchObject({ outcome: 'served', items: [{ contentId: best }] })
    }
  })

  it('records what it answers, so that it can be computed again', async () => {
    await putSlot('three', { count: 2, policy: { type: 'affinity', exploration: 0.5 } })
    for (const id of ['shoes', 'hats', 'bags']) await putContent(id, { category: id, slots: ['hero', 'held', 'three'] })
    const { decisions } = await until(
      'the slot has its content',
      () => ask('reader-1', { slots: [{ id: 'hero' }, { id: 'three' }], context: { sessionId: 's1' } }),
      reply => reply.decisions[1]?.items.length === 2,
    )
    for (const decision of decisions) {
      const record = await recordOf(decision.decisionId)
      expect(record).toMatchObject({ slotId: decision.slotId, outcome: 'served', sessionId: 's1', policy: 'affinity' })
      expect(record?.contentIds).toEqual(decision.items.map(({ contentId }) => contentId))
      expect(record && recompute(record)).toMatchObject({
        contentIds: record?.contentIds,
        propensities: record?.propensities,
      })
    }
  })

  it('answers timeout, and records it, when what it should wait for does not come', async () => {
    const { last_seq } = (await nats.manager.streams.info('EVENTS')).state
    const { decisions } = await ask('early', { after: last_seq + 1_000, deadlineMs: 50 })
    expect(decisions).toMatchObject([{ slotId: 'hero', outcome: 'timeout', items: [] }])
    const record = await until('it is recorded', () => recordOf(decisions[0]?.decisionId), Boolean)
    expect(record).toMatchObject({ outcome: 'timeout', contentIds: [] })
  })

  it('keeps the holdout at the page’s own content', async () => {
    const visitors = Array.from({ length: 20 }, (_, i) => `held-${i}`)
    const outcomes = await Promise.all(
      visitors.map(async visitorId => (await ask(visitorId, { slots: [{ id: 'held' }] })).decisions[0]?.outcome),
    )
    expect(outcomes).toEqual(
      visitors.map(visitorId => (shareOf('holdout', SITE, visitorId) < 0.5 ? 'holdout' : 'served')),
    )
  })

  it('shows a preview, and leaves no trace of it', async () => {
    const messages = async () => {
      const streams = await nats.manager.streams.list().next()
      // Profiles and checkpoints of what came before are stored a moment later.
      return streams
        .filter(({ config }) => !config.name.startsWith('KV_'))
        .map(({ config, state }) => [config.name, state.messages])
    }
    const seq = await track('looked-at', 'Product Viewed', 'hats')
    await ask('looked-at', { after: seq })
    // What profiles are told of decisions before this one comes a moment after their answers.
    let before = await messages()
    await until(
      'the streams are at rest',
      messages,
      now => {
        const isSame = isDeepStrictEqual(now, before)
        before = now
        return isSame
      },
      { everyMs: 300 },
    )
    const show = { held: ['bags', 'shoes'] }
    const { decisions } = await ask('looked-at', { slots: [{ id: 'hero' }, { id: 'held' }], preview: { show } })
    expect(decisions.map(({ decisionId, preview }) => [decisionId, preview])).toEqual([
      ['', true],
      ['', true],
    ])
    expect(decisions.map(({ items }) => items.map(({ contentId }) => contentId))).toEqual([['hats'], ['bags', 'shoes']])
    const late = await ask('looked-at', { after: seq + 1_000, deadlineMs: 50, preview: {} })
    expect(late.decisions).toEqual([expect.objectContaining({ outcome: 'timeout', decisionId: '', preview: true })])
    expect(await messages()).toEqual(before)
  })

  it('follows the catalog', async () => {
    const hero = async (visitorId: string) => (await ask(visitorId)).decisions[0]
    await putSlot('hero', { policy: { type: 'fixed', contentIds: ['new'] } })
    await until(
      'nothing is eligible',
      () => hero('any'),
      decision => decision?.outcome === 'empty',
    )
    await putContent('new', { slots: ['hero'] })
    const shown = await until(
      'the new content is shown',
      () => hero('any'),
      decision => decision?.items.length === 1,
    )
    expect(shown?.items).toEqual([{ contentId: 'new', position: 1, payload: { title: 'new' } }])
    await installation.buckets.catalog.delete(`${SITE}.slot.hero`)
    await until(
      'the slot is gone',
      () => hero('any'),
      decision => decision?.outcome === 'unknown_slot',
    )
  })

  it('refuses what is no request with a service error', async () => {
    const reply = await nats.connection.request('decide.0', '{"siteId": 1}', { timeout: 5_000 })
    expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('400')
    expect(reply.json()).toEqual({ decisions: [] })
  })

  describe('reading profiles by request', () => {
    const partitions = 32
    const read = (...visitorIds: string[]) => createReadProfiles(nats, partitions, 5_000)(SITE, visitorIds)
    /** So many visitors of one partition. */
    const together = (name: string, count: number) =>
      Array.from({ length: partitions * (count * 2 + 10) }, (_, n) => `${name}-${n}`)
        .filter(id => partitionFor(id) === 5)
        .slice(0, count)

    it('gives each visitor the profile with all that is applied, in the order of the request', async () => {
      const ids = Array.from({ length: 40 }, (_, n) => `read-${n}`)
      for (const id of ids) {
        const seq = await track(id, 'Product Viewed', 'hats')
        expect(await aggregator.profiles.waitFor(partitionFor(id), seq, 10_000)).toBe(true)
      }
      const found = await read(...ids, 'never-seen', ids[0]!)
      expect(found.map(profile => (profile as Profile | undefined)?.visitorId)).toEqual([...ids, undefined, ids[0]])
      const { firstSeen, sessions, session, events, affinities, seq } = (await aggregator.profiles.profileOf(
        SITE,
        'read-7',
      ))!
      const fields = { siteId: SITE, visitorId: 'read-7', firstSeen, sessions, session, events, affinities, seq }
      expect(found[7]).toMatchObject({ ...fields, person: { id: 'read-7', userId: '', browsers: ['read-7'] } })
      expect(await read()).toEqual([])
    })

    it('asks again for those beyond a request’s number, and for what does not fit into a message', async () => {
      const large = together('large', 45)
      expect(large).toHaveLength(45)
      // Two messages for each: one has no room for all of them.
      const halves = [0, 1].map(half =>
        Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`t${half}-${n}`, 'x'.repeat(900)])),
      )
      let last = 0
      for (const visitorId of large) for (const traits of halves) last = await identify(visitorId, traits)
      expect(await aggregator.profiles.waitFor(5, last, 10_000)).toBe(true)
      const found = (await read(...together('nobody', 150), ...large)) as (Profile | undefined)[]
      expect(Buffer.byteLength(JSON.stringify(found))).toBeGreaterThan(1024 ** 2)
      expect(found.map(profile => profile?.visitorId)).toEqual([...Array(150).fill(undefined), ...large])
      expect(Object.keys(found.at(-1)!.traits)).toHaveLength(30)
    })

    it('fails as unavailable, and says why: no owner, no answer in time, an answer that says what is wrong', async () => {
      // Partitions that this installation does not have are owned by no process.
      const [visitorId] = Array.from({ length: 500 }, (_, n) => `v${n}`).filter(id => partitionOf(SITE, id, 64) === 40)
      const outside = (timeoutMs: number) => createReadProfiles(nats, 64, timeoutMs)(SITE, [visitorId!])
      const unavailable = (message: string) =>
        expect.objectContaining({ code: 'unavailable', message: expect.stringContaining(message) })
      await expect(outside(5_000)).rejects.toEqual(unavailable('no aggregator with the role profiles has partition 40'))
      const answers: (string | undefined)[] = [undefined, 'not JSON', '{"profiles":[]}', '{"profiles":[1]}', 'null']
      for (const answer of answers) {
        const silent = nats.connection.subscribe(profilesSubject(40), {
          callback: (_error, message) => void (answer !== undefined && message.respond(answer)),
        })
        await expect(outside(200)).rejects.toEqual(
          unavailable(answer === undefined ? 'did not answer in time' : 'the answer is of another shape'),
        )
        silent.unsubscribe()
      }
    })

    it('refuses what is no request with a service error', async () => {
      for (const [request, reason] of [
        ['{"siteId": 1}', 'siteId is not'],
        [JSON.stringify({ siteId: SITE, visitorIds: together('v', 1) }), 'of another partition than 0'],
      ] as const) {
        const reply = await nats.connection.request(profilesSubject(0), request, { timeout: 5_000 })
        expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('400')
        expect(reply.headers?.get('Nats-Service-Error')).toContain(reason)
        expect(reply.json()).toEqual({ profiles: [] })
      }
    })
  })

  it('skips a message of the stream that it cannot read', async () => {
    await nats.js.publish('events.0', 'not JSON')
    const after = await track('behind', 'Product Viewed', 'hats')
    expect(await aggregator.profiles.waitFor(partitionFor('behind'), after, 10_000)).toBe(true)
    expect((await aggregator.profiles.profileOf(SITE, 'behind'))?.events).toBe(1)
  })

  it('has the profiles that the stream gives after it died at any moment, also with little memory', async () => {
    for (const [round, maxProfiles] of [undefined, 64, undefined].entries()) {
      for (let i = 0; i < 150; i++) await track(`mortal-${i % 90}`, 'Product Viewed', `c${i % 5}`)
      await pause([0, 300, 700][round])
      await track('mortal-1', 'Product Added', 'last')
      await aggregator.die()
      await track('mortal-2', 'Product Added', 'meanwhile')
      aggregator = await startAggregator(server.url, maxProfiles)
      await expectProfilesFromTheStream()
    }
    await aggregator.stop()
    aggregator = await startAggregator(server.url)
    expect(aggregator.profiles.missing()).toEqual([])
    await expectProfilesFromTheStream()
  })

  it('goes on after the NATS server was killed', async () => {
    const before = await track('patient', 'Product Viewed', 'hats')
    expect(await aggregator.profiles.waitFor(partitionFor('patient'), before, 10_000)).toBe(true)
    await server.kill()
    await server.start()
    await putSlot('hero', { policy: { type: 'random' } }).catch(() => undefined)
    const after = await until('publishing works again', () => track('patient', 'Product Added', 'hats'), Boolean)
    const { decisions } = await until(
      'the slot is answered',
      () => ask('patient', { after, slots: [{ id: 'held' }] }),
      reply => ['served', 'holdout'].includes(reply.decisions[0]?.outcome ?? ''),
    )
    expect(decisions).toHaveLength(1)
    await expectProfilesFromTheStream()
  })
})
