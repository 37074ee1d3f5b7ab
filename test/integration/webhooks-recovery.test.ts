import { startProfiles } from '@slotstream/aggregator'
import { type Profile, profileKey, warehousePositionKey } from '@slotstream/protocol'
import { provision, sharedSettings } from '@slotstream/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { moveStreams } from '#aggregator/commands/streams/move-streams.js'
import { cleanStreams } from '#aggregator/people/clean/clean-streams.js'
import { deliveryIdOf } from '#aggregator/webhooks/send/delivery-id.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { idsOf, PARTITIONS, withWebhooks } from '../support/webhook-world.js'

const MINUTE = 60_000

const { world, log, start, admin, declare, deliveries, signalled, untilTaken, untaken } = withWebhooks()

describe('deleting a person', () => {
  it('leaves nothing of what waits, of dead letters and of records, and delivers nothing more', async () => {
    await start({ giveUpMs: 50, maxLetters: PARTITIONS })
    const { id } = await declare()
    world.receiver.answer = () => 500
    const person = `person-${world.site}`
    const [dead, waiting] = await signalled(person, 2)
    await signalled('other')
    const states = async () =>
      Object.fromEntries((await deliveries(id)).map(({ signalId, state }) => [signalId, state] as const))
    await until('one is dead, one waits', states, found => found[dead!] === 'dead' && found[waiting!] === 'pending')
    const placesOfPerson = async () => {
      const found = new Set<string>()
      for await (const { config, state } of world.broker.nats.manager.streams.list())
        for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
          const message = await world.broker.nats.manager.streams.getMessage(config.name, { seq })
          if (message && `${message.subject} ${message.string()}`.includes(person)) found.add(config.name)
        }
      return [...found].sort()
    }
    expect(await placesOfPerson()).toEqual(['DELIVERIES', 'KV_webhook_letters', 'SIGNALS'])
    const { nats, installation } = world.broker
    const whose = {
      person: { siteId: world.site, userIds: [], browsers: [], anonymousIds: [person] },
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
    world.receiver.answer = () => 200
    await admin('POST', `/webhooks/${id}/replay`, {})
    await until(
      'the other one',
      () => world.receiver.taken().length,
      count => count > 0,
    )
    await until('nothing waits', states, found => Object.values(found).every(state => state !== 'pending'))
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(world.receiver.taken().map(({ body }) => body.data.anonymousId)).toEqual(['other'])
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
      NATS_URL: world.broker.url,
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
    world.receiver.answer = () => (isSlow && ++requests % 4 === 0 ? 500 : 200)
    const ids = new Map<string, string[]>()
    for (let n = 0; n < 8; n++) ids.set(`v${n}`, await signalled(`v${n}`, 3))
    await until(
      'some',
      () => world.receiver.taken().length,
      count => count >= 6,
    )
    await first.end('SIGKILL')
    for (const [visitor, known] of ids) known.push(...(await signalled(visitor, 2)))
    isSlow = false
    await program()
    const taken = await untilTaken(40)
    for (const [visitor, expected] of ids)
      expect([...new Set(idsOf(taken.filter(({ body }) => body.data.anonymousId === visitor)))]).toEqual(expected)
    for (const got of world.receiver.received) {
      world.receiver.verify(got, secret)
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
      const body = JSON.stringify({ writeKey: world.site, batch })
      const response = await fetch(`${world.collector}/v1/batch`, { method: 'POST', body })
      expect(await response.json()).toMatchObject({ accepted: 1 })
    }
    const { id } = await declare({ signals: ['cart_abandonment'] })
    let owner = await both()
    await send('Product Added')
    const key = profileKey(
      world.broker.installation.privacy.keyed,
      { siteId: world.site, visitorId: 'left' },
      PARTITIONS,
    )
    await until(
      'the stored profile',
      async () => (await world.broker.installation.buckets.profiles.get(key))?.json<Profile>(),
      profile => profile?.patterns?.due !== undefined,
    )
    await owner.kill()
    minutes = 29
    owner = await both()
    expect(world.receiver.received).toEqual([])
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
    expect(world.receiver.received).toHaveLength(1)
  })
})

// It changes the streams of the broker, so it comes last.
describe('signals in streams that others took over from', () => {
  it('are delivered before those of the new ones, whether they waited or were not read yet', async () => {
    const role = await start({ maxPending: PARTITIONS * 2 })
    world.receiver.answer = () => 500
    await declare()
    const ids = await signalled('v1', 4)
    await until(
      'two of them wait',
      () => world.receiver.received.length,
      count => count > 1,
    )
    await role.stop()
    const { nats, installation } = world.broker
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
    world.receiver.answer = () => 200
    await start({ maxPending: PARTITIONS * 2 })
    expect(idsOf(await untilTaken(6))).toEqual(ids)
    await declare({ url: `${world.receiver.url}/later` })
    const later = await signalled('v1', 2)
    expect(idsOf(await untilTaken(2, '/later'))).toEqual(later)
  })
})
