import { startProfiles, startWebhooks } from '@slotstream/aggregator'
import {
  BUCKETS,
  bucketStream,
  type DeliveryEnvelope,
  type Profile,
  parseDeliveryEnvelope,
  partitionOf,
  profileKey,
  type SignalEnvelope,
  streamSubject,
  type WebhookDelivery,
  warehousePositionKey,
} from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { moveStreams } from '#aggregator/commands/streams/move-streams.js'
import { cleanStreams } from '#aggregator/people/clean/clean-streams.js'
import { webhookSettings } from '#aggregator/settings.js'
import { deliveryIdOf } from '#aggregator/webhooks/send/delivery-id.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from '../support/collector.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type Received, type Receiver, startReceiver } from '../support/webhook-receiver.js'

const log = createLog('test')
log.level = process.env.LOG_LEVEL || 'silent'

const PARTITIONS = 8
const MINUTE = 60_000

/** Pauses as short as tests need them. */
const FAST = { ...webhookSettings({}), allowPrivate: true, retryMs: 40, longestRetryMs: 200, giveUpMs: 60_000 }

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: string
let receiver: Receiver
let site: string
let sites = 0
let signals = 0
let running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  broker = await startBroker({ PARTITIONS: String(PARTITIONS) })
  const { collectorSettings } = await import('#collector/settings.js')
  collector = await broker.collector({ settings: { ...collectorSettings({}), allowPrivateWebhooks: true } })
})
afterAll(() => broker?.stop())
beforeEach(async () => {
  site = `shop-${++sites}`
  await putSite(collector, site)
  receiver = await startReceiver()
})
afterEach(async () => {
  await Promise.all(running.map(each => each.stop()))
  running = []
  await receiver.stop()
})

/** The role in this process, which can be ended as if its machine had lost its power. */
async function start(settings: Partial<typeof FAST> = {}, now = Date.now) {
  const nats = await connectNats(broker.url, 'webhooks', log)
  const installation = await provision(nats, sharedSettings({}), log)
  const publisher = createPublisher(nats)
  const metrics = createMetrics()
  const parts = { nats, publisher, installation, metrics, log, now, identity: someIdentity('webhooks') }
  const role = await startWebhooks({ ...parts, settings: { ...FAST, ...settings } })
  let isOver = false
  const started = {
    ...parts,
    async kill() {
      isOver = true
      publisher.close()
      await nats.close()
      await role.stop().catch(() => {})
    },
    async stop() {
      if (isOver) return
      isOver = true
      await role.stop()
      publisher.close()
      await nats.close()
    },
  }
  running.push(started)
  return started
}

async function admin<T>(method: string, path: string, body?: object): Promise<T & { status: number }> {
  const response = await fetch(`${collector}/v1/admin/sites/${site}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, ...((await response.json()) as T) }
}

const declare = (body: object = {}) =>
  admin<{ id: string; secret: string; url: string }>('POST', '/webhooks', { url: `${receiver.url}/hook`, ...body })

/** Puts signals of a visitor into the stream, as the profiles role does. Resolves to their ids. */
async function signalled(visitorId: string, count = 1, more: object = {}): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const signalId = `signal-${++signals}`
    const at = new Date().toISOString()
    const record = { signalId, signal: 'left-cart', messageId: `m${signals}`, timestamp: at, anonymousId: visitorId }
    const rest = { userId: '', sessionId: 's1', details: { cart: `c${signals}` }, ...more }
    const envelope: SignalEnvelope = { siteId: site, visitorId, receivedAt: at, signals: [{ ...record, ...rest }] }
    const subject = streamSubject('signals', partitionOf(site, visitorId, PARTITIONS))
    await broker.nats.js.publish(subject, JSON.stringify(envelope))
    ids.push(signalId)
  }
  return ids
}

const idsOf = (received: Received[]) => received.map(({ body }) => body.data.signalId)
const untilTaken = (count: number, path?: string) =>
  until(
    `${count} signals`,
    () => receiver.taken(path),
    taken => new Set(idsOf(taken)).size === count,
  )
const deliveries = async (id: string) =>
  (await admin<{ deliveries: WebhookDelivery[] }>('GET', `/webhooks/${id}/deliveries`)).deliveries
const recorded = async (webhookId: string) =>
  (await readAll<DeliveryEnvelope>(broker.nats, 'DELIVERIES'))
    .filter(({ siteId }) => siteId === site)
    .flatMap(envelope => envelope.deliveries)
    .filter(delivery => delivery.webhookId === webhookId)

/**
 * Signals for a webhook in the partition of the visitor `left` that are not known to be delivered, as a next owner sees
 * it.
 */
async function untaken(webhookId: string): Promise<number> {
  const { positions } = broker.installation.buckets
  const partition = partitionOf(site, 'left', PARTITIONS)
  const { last_seq } = (await broker.nats.manager.streams.info('SIGNALS')).state
  const position = (await positions.get(`webhooks.${partition}.${webhookId}`))?.json<{ pending: object[] }>()
  const through = (await positions.get(`webhooks.${partition}`))?.json<{ seq: number }>().seq ?? 0
  return (position?.pending.length ?? 1) + last_seq - through
}

describe('a webhook', () => {
  it('gets each signal from its declaration on, signed, and the attempts are records', async () => {
    await signalled('early')
    await start()
    const { id, secret, status } = await declare()
    expect([status, secret]).toEqual([200, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)])
    const ids = await signalled('v1', 1, { userId: 'anna' })
    const [got] = await untilTaken(1)
    const { headers, body } = got!
    expect(receiver.verify(got!, secret)).toEqual(body)
    expect(() => receiver.verify({ ...got!, text: `${got!.text} ` }, secret)).toThrow()
    expect(headers).toMatchObject({ 'webhook-id': deliveryIdOf(id, ids[0]!), 'content-type': 'application/json' })
    expect(body).toEqual({
      type: 'left-cart',
      timestamp: expect.any(String),
      data: {
        ...{ signalId: ids[0], siteId: site, anonymousId: 'v1', userId: 'anna', personId: 'anna', sessionId: 's1' },
        details: { cart: expect.any(String) },
      },
    })
    const [record] = await until(
      'the record',
      () => recorded(id),
      found => found.length > 0,
    )
    expect(record).toMatchObject({ signalId: ids[0], attempt: 1, outcome: 'delivered', status: 204, error: '' })
    const envelope = { siteId: site, visitorId: 'v1', receivedAt: record!.attemptedAt, deliveries: [record] }
    expect(parseDeliveryEnvelope(envelope)).toMatchObject({ ok: true })
    expect(await deliveries(id)).toEqual([
      {
        ...{ deliveryId: deliveryIdOf(id, ids[0]!), signalId: ids[0], signal: 'left-cart', state: 'delivered' },
        ...{ attempts: 1, status: 204, error: null, at: expect.any(String) },
      },
    ])
    expect(receiver.received).toHaveLength(1)
  })

  it('gets the signals that it names, and one of another site none', async () => {
    await start()
    await admin('PUT', '/patterns', { patterns: [{ name: 'bought', sequence: [{ event: 'Order Completed' }] }] })
    const named = await declare({ url: `${receiver.url}/named`, signals: ['bought'] })
    expect(await declare({ signals: ['bouht'] })).toMatchObject({
      status: 400,
      error: { details: ['signals[0]: there is no signal "bouht": did you mean "bought"?'] },
    })
    await declare({ url: `${receiver.url}/all` })
    const [own] = [site]
    site = `shop-${++sites}`
    await putSite(collector, site)
    await declare({ url: `${receiver.url}/other` })
    site = own!
    const [left] = await signalled('v1')
    const [bought] = await signalled('v1', 1, { signal: 'bought' })
    await untilTaken(2, '/all')
    expect(idsOf(await untilTaken(1, '/named'))).toEqual([bought])
    expect(idsOf(receiver.taken('/all'))).toEqual([left, bought])
    expect(receiver.taken('/other')).toEqual([])
    const [first, second] = receiver.received.filter(({ body }) => body.data.signalId === bought)
    expect(first!.headers['webhook-id']).not.toBe(second!.headers['webhook-id'])
    expect((await deliveries(named.id)).map(({ signalId }) => signalId)).toEqual([bought])
  })

  it('that fails at first gets each signal with one id, those of a visitor in order, none held up by another', async () => {
    await start()
    const { secret } = await declare()
    // Every third request fails, and all of one visitor for a while.
    let requests = 0
    let isDown = true
    receiver.answer = ({ body }) => {
      if (body.data.anonymousId === 'down' && isDown) return 503
      return ++requests % 3 === 0 ? { status: 500, body: 'x'.repeat(100_000) } : 200
    }
    const down = await signalled('down', 3)
    const others = new Map<string, string[]>()
    for (let n = 0; n < 6; n++) others.set(`v${n}`, await signalled(`v${n}`, 5))
    await untilTaken(30)
    isDown = false
    const taken = await untilTaken(33)
    const firstTimes = (visitor: string) => [
      ...new Set(idsOf(taken.filter(({ body }) => body.data.anonymousId === visitor))),
    ]
    expect(firstTimes('down')).toEqual(down)
    for (const [visitor, ids] of others) expect(firstTimes(visitor)).toEqual(ids)
    const idsBySignal = new Map<string, Set<unknown>>()
    for (const got of receiver.received) {
      receiver.verify(got, secret)
      const { signalId } = got.body.data
      idsBySignal.set(signalId, (idsBySignal.get(signalId) ?? new Set()).add(got.headers['webhook-id']))
    }
    expect([...idsBySignal.values()].filter(ids => ids.size !== 1)).toEqual([])
  })

  it('that has no room for more holds up no other one, and gets the rest from the stream', async () => {
    await start({ maxPending: PARTITIONS * 3 })
    receiver.answer = ({ path }) => (path === '/down' ? 500 : 200)
    await declare({ url: `${receiver.url}/down` })
    await declare({ url: `${receiver.url}/up` })
    const ids = await signalled('v1', 20)
    expect(idsOf(await untilTaken(20, '/up'))).toEqual(ids)
    const stored = await broker.installation.buckets.positions
    const held = await until(
      'the position',
      async () => {
        const keys: string[] = []
        for await (const key of await stored.keys(`webhooks.${partitionOf(site, 'v1', PARTITIONS)}.*`)) keys.push(key)
        const all = await Promise.all(keys.map(async key => (await stored.get(key))?.json<{ pending: object[] }>()))
        return all.map(position => position?.pending.length ?? 0)
      },
      pending => pending.includes(3),
    )
    expect(Math.max(...held)).toBe(3)
    receiver.answer = () => 200
    expect(idsOf(await untilTaken(20, '/down'))).toEqual(ids)
  })

  it('goes with its site', async () => {
    const { id } = await declare()
    await admin('DELETE', '')
    await putSite(collector, site)
    expect(await admin('GET', '/webhooks')).toEqual({ status: 200, webhooks: [] })
    expect((await admin('GET', `/webhooks/${id}/deliveries`)).status).toBe(404)
  })

  it('is deleted with what waits for it', async () => {
    await start()
    receiver.answer = () => 500
    const { id } = await declare()
    await signalled('v1', 2)
    await until(
      'an attempt',
      () => receiver.received.length,
      count => count > 0,
    )
    expect(await deliveries(id)).toMatchObject([{ state: 'pending', error: 'status_500' }, { state: 'pending' }])
    expect((await admin<{ webhooks: object[] }>('GET', '/webhooks')).webhooks).toEqual([
      { id, url: `${receiver.url}/hook`, signals: [], createdAt: expect.any(String) },
    ])
    expect(await admin('DELETE', `/webhooks/${id}`)).toEqual({ status: 200, deleted: true })
    for (const [method, path] of [
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/replay'],
    ] as const)
      expect((await admin(method, `/webhooks/${id}${path}`)).status).toBe(404)
    const left = async () => {
      const keys: string[] = []
      for await (const key of await broker.installation.buckets.positions.keys('webhooks.*.*')) keys.push(key)
      return keys.filter(key => key.endsWith(id))
    }
    await until('no position', left, keys => keys.length === 0)
    const attempts = receiver.received.length
    receiver.answer = () => 200
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(receiver.received.length).toBe(attempts)
  })
})

describe('a signal that a webhook does not take', () => {
  it('becomes a dead letter, which later ones do not wait for, and is delivered by a replay', async () => {
    const role = await start({ giveUpMs: 100 })
    const { id } = await declare()
    receiver.answer = ({ body }) => (body.data.anonymousId === 'v1' ? { status: 500 } : 200)
    const [first, second] = await signalled('v1', 2)
    await signalled('v2')
    const dead = await until(
      'two letters',
      () => deliveries(id),
      found => found.filter(({ state }) => state === 'dead').length === 2,
    )
    expect(dead.find(({ signalId }) => signalId === first)).toMatchObject({ status: 500, error: 'status_500' })
    expect((await recorded(id)).filter(({ outcome }) => outcome === 'dead').map(({ signalId }) => signalId)).toEqual([
      first,
      second,
    ])
    const letters = async () =>
      (await broker.nats.manager.streams.info(bucketStream(BUCKETS.webhookLetters))).state.messages
    expect(await letters()).toBe(2)
    const metrics = await until(
      'the metric',
      () => role.metrics.registry.metrics(),
      text => text.includes('slotstream_webhook_dead_letters 2'),
    )
    expect(metrics).toContain('slotstream_webhook_deliveries_total{outcome="dead"} 2')

    receiver.answer = () => 200
    // One of them, after another process has taken over.
    await role.stop()
    await start()
    await until(
      'it tells of both',
      () => deliveries(id),
      found => found.length === 2,
    )
    expect(await admin('POST', `/webhooks/${id}/replay`, { signalId: second })).toMatchObject({ replayed: 1, left: 1 })
    await until(
      'the second',
      () => idsOf(receiver.taken()),
      ids => ids.includes(second!),
    )
    expect(await admin('POST', `/webhooks/${id}/replay`, {})).toMatchObject({ replayed: 1, left: 0 })
    await until(
      'the first',
      () => idsOf(receiver.taken()),
      ids => ids.includes(first!),
    )
    await until('no letters', letters, count => count === 0)
    expect(
      new Set(
        receiver.received
          .filter(({ body }) => body.data.signalId === first)
          .map(({ headers }) => headers['webhook-id']),
      ).size,
    ).toBe(1)
    // One that was delivered, once more.
    expect(await admin('POST', `/webhooks/${id}/replay`, { signalId: first })).toMatchObject({ replayed: 1 })
    await until(
      'again',
      () => idsOf(receiver.taken()).filter(signalId => signalId === first),
      ids => ids.length === 2,
    )
    expect((await admin('POST', `/webhooks/${id}/replay`, { signalId: 'none' })).status).toBe(404)
    expect((await admin('POST', `/webhooks/${id}/replay`, { signalid: 'none' })).status).toBe(400)
  })

  it('waits on where there is no room for a dead letter', async () => {
    await start({ giveUpMs: 50, maxLetters: PARTITIONS })
    const { id } = await declare()
    receiver.answer = () => 500
    const ids = await signalled('v1', 3)
    await until(
      'a letter',
      () => deliveries(id),
      found => found.some(({ state, signalId }) => state === 'dead' && signalId === ids[0]),
    )
    await until(
      'attempts at the second',
      () => idsOf(receiver.received).filter(signalId => signalId === ids[1]).length,
      count => count > 4,
    )
    receiver.answer = () => 200
    await until(
      'the others',
      () => idsOf(receiver.taken()),
      taken => taken.join() === ids.slice(1).join(),
    )
  })
})

describe('deleting a person', () => {
  it('leaves nothing of what waits, of dead letters and of records, and delivers nothing more', async () => {
    await start({ giveUpMs: 50, maxLetters: PARTITIONS })
    const { id } = await declare()
    receiver.answer = () => 500
    const person = `person-${site}`
    const [dead, waiting] = await signalled(person, 2)
    await signalled('other')
    const states = async () =>
      Object.fromEntries((await deliveries(id)).map(({ signalId, state }) => [signalId, state] as const))
    await until('one is dead, one waits', states, found => found[dead!] === 'dead' && found[waiting!] === 'pending')
    const placesOfPerson = async () => {
      const found = new Set<string>()
      for await (const { config, state } of broker.nats.manager.streams.list())
        for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
          const message = await broker.nats.manager.streams.getMessage(config.name, { seq })
          if (message && `${message.subject} ${message.string()}`.includes(person)) found.add(config.name)
        }
      return [...found].sort()
    }
    expect(await placesOfPerson()).toEqual(['DELIVERIES', 'KV_webhook_letters', 'SIGNALS'])
    const { nats, installation } = broker
    const whose = {
      person: { siteId: site, userIds: [], browsers: [], anonymousIds: [person] },
      before: Date.now(),
    }
    const removed = new Set<string>()
    const report = async (place: string) => {
      removed.add(place)
    }
    const { signal } = new AbortController()
    // As the job does: what was under way meanwhile is found by another look.
    while ((await cleanStreams({ nats, installation, log, whose, report, signal })) > 0);
    expect([...removed].sort()).toEqual(['bucket webhook_letters', 'stream DELIVERIES', 'stream SIGNALS'])
    receiver.answer = () => 200
    await admin('POST', `/webhooks/${id}/replay`, {})
    await until(
      'the other one',
      () => receiver.taken().length,
      count => count > 0,
    )
    await until('nothing waits', states, found => Object.values(found).every(state => state !== 'pending'))
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(receiver.taken().map(({ body }) => body.data.anonymousId)).toEqual(['other'])
    expect(await placesOfPerson()).toEqual([])
  })
})

describe('an aggregator that is killed', () => {
  let programs: Aggregator[] = []
  afterEach(async () => {
    await Promise.all(programs.map(each => each.end('SIGKILL')))
    programs = []
  })

  async function program(): Promise<Aggregator> {
    const started = await startAggregator({
      NATS_URL: broker.url,
      ROLES: 'webhooks',
      AGGREGATOR_NAME: 'killed',
      WEBHOOK_ALLOW_PRIVATE: '1',
      WEBHOOK_RETRY_S: '1',
      LOG_LEVEL: 'warn',
    })
    programs.push(started)
    return started
  }

  it('in the middle has lost nothing: the next one delivers all, in order, with the same ids', async () => {
    const { id, secret } = await declare()
    const first = await program()
    let requests = 0
    let isSlow = true
    receiver.answer = () => (isSlow && ++requests % 4 === 0 ? 500 : 200)
    const ids = new Map<string, string[]>()
    for (let n = 0; n < 8; n++) ids.set(`v${n}`, await signalled(`v${n}`, 3))
    await until(
      'some',
      () => receiver.taken().length,
      count => count >= 6,
    )
    await first.end('SIGKILL')
    for (const [visitor, known] of ids) known.push(...(await signalled(visitor, 2)))
    isSlow = false
    await program()
    const taken = await untilTaken(40)
    for (const [visitor, expected] of ids)
      expect([...new Set(idsOf(taken.filter(({ body }) => body.data.anonymousId === visitor)))]).toEqual(expected)
    for (const got of receiver.received) {
      receiver.verify(got, secret)
      expect(got.headers['webhook-id']).toBe(deliveryIdOf(id, got.body.data.signalId))
    }
  })
})

describe('a cart that is left', () => {
  it('is told to the webhook once after 30 minutes, through aggregators that ended at once', async () => {
    let minutes = 0
    const now = () => Date.now() + minutes * MINUTE
    async function both() {
      const webhooks = await start({}, now)
      const profiles = await startProfiles({ ...webhooks, identity: someIdentity('profiles') })
      await until(
        'it answers for all partitions',
        () => profiles.applied().filter(({ partition }) => profiles.serves(partition)).length,
        count => count === PARTITIONS,
      )
      return {
        async kill() {
          await webhooks.kill()
          await profiles.stop().catch(() => {})
        },
        async stop() {
          await profiles.stop()
          await webhooks.stop()
        },
      }
    }
    const send = async (event: string) => {
      const batch = [
        { messageId: `m-${event}`, type: 'track', event, anonymousId: 'left', properties: { cart_id: 'c1' } },
      ]
      const body = JSON.stringify({ writeKey: site, batch })
      const response = await fetch(`${collector}/v1/batch`, { method: 'POST', body })
      expect(await response.json()).toMatchObject({ accepted: 1 })
    }
    const { id } = await declare({ signals: ['cart_abandonment'] })
    let owner = await both()
    await send('Product Added')
    const key = profileKey(broker.installation.privacy.keyed, { siteId: site, visitorId: 'left' }, PARTITIONS)
    await until(
      'the stored profile',
      async () => (await broker.installation.buckets.profiles.get(key))?.json<Profile>(),
      profile => profile?.patterns?.due !== undefined,
    )
    await owner.kill()
    minutes = 29
    owner = await both()
    expect(receiver.received).toEqual([])
    minutes = 31
    const [got] = await untilTaken(1)
    expect(got!.body).toMatchObject({ type: 'cart_abandonment', data: { anonymousId: 'left', details: { key: 'c1' } } })
    await until(
      'it is known to be delivered',
      () => untaken(id),
      count => count === 0,
    )
    await owner.kill()
    owner = await both()
    minutes = 120
    await send('Seen')
    await new Promise(resolve => setTimeout(resolve, 1_000))
    await owner.stop()
    expect(receiver.received).toHaveLength(1)
  })
})

// It changes the streams of the broker, so it comes last.
describe('signals in streams that others took over from', () => {
  it('are delivered before those of the new ones, whether they waited or were not read yet', async () => {
    const role = await start({ maxPending: PARTITIONS * 2 })
    receiver.answer = () => 500
    await declare()
    const ids = await signalled('v1', 4)
    await until(
      'two of them wait',
      () => receiver.received.length,
      count => count > 1,
    )
    await role.stop()
    const { nats, installation } = broker
    const { last_seq: last } = (await nats.manager.streams.info('SIGNALS')).state
    await installation.buckets.positions.put(
      warehousePositionKey('SIGNALS'),
      JSON.stringify({ first: 1, last, done: true }),
    )
    const checkpoints = { readCheckpoint: async () => ({ seq: 0, revision: 0 }) }
    await moveStreams({ kind: 'signals', count: 2 }, { nats, installation, checkpoints, print: () => {} })
    const moved = await provision(nats, sharedSettings({}), log)
    expect(moved.streams.signals.map(({ name }) => name)).toEqual(['SIGNALS_1', 'SIGNALS_2'])
    ids.push(...(await signalled('v1', 2)))
    receiver.answer = () => 200
    await start({ maxPending: PARTITIONS * 2 })
    expect(idsOf(await untilTaken(6))).toEqual(ids)
    await declare({ url: `${receiver.url}/later` })
    const later = await signalled('v1', 2)
    expect(idsOf(await untilTaken(2, '/later'))).toEqual(later)
  })
})
