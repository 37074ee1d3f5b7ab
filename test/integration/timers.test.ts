import { startProfiles } from '@slotstream/aggregator'
import { BUCKETS, bucketStream, type Profile, profileKey, type SignalEnvelope } from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildProfiles } from '#aggregator/commands/rebuild/rebuild-profiles.js'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { replayedStreams } from '../support/profiles-of-stream.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

const MINUTE = 60_000
const SITE = 'shop'

describe('absences', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let owner: Awaited<ReturnType<typeof startOwner>>
  let collector: string
  let messages = 0
  /** Minutes that passed beside those of the clock. */
  let minutes = 0

  async function startOwner() {
    const nats = await connectNats(broker.url, 'aggregator', log)
    const installation = await provision(nats, sharedSettings({ PARTITIONS: '8' }), log)
    const publisher = createPublisher(nats)
    const now = () => Date.now() + minutes * MINUTE
    const metrics = createMetrics()
    const parts = { nats, publisher, installation, metrics, log, now }
    const profiles = await startProfiles({ ...parts, identity: someIdentity(String(messages)) })
    await until(
      'it answers for all partitions',
      () => profiles.applied().filter(({ partition }) => profiles.serves(partition)).length,
      count => count === 8,
    )
    return {
      ...parts,
      /** Ends as a process does whose machine lost its power: nothing is stored, and no lease given back. */
      async kill() {
        publisher.close()
        await nats.close()
        await profiles.stop().catch(() => {})
      },
      async stop() {
        await profiles.stop()
        publisher.close()
        await nats.close()
      },
    }
  }

  beforeAll(async () => {
    broker = await startBroker()
    collector = await broker.collector()
    await putSite(collector, SITE)
    owner = await startOwner()
  })
  afterAll(async () => {
    await owner?.stop()
    await broker?.stop()
  })

  async function send(anonymousId: string, event: string, properties: object = { cart_id: 'c1' }): Promise<void> {
    const message = { messageId: `m${++messages}`, type: 'track', event, anonymousId, properties }
    const response = await fetch(`${collector}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ writeKey: SITE, batch: [message] }),
    })
    expect(await response.json()).not.toHaveProperty('rejected.0')
  }

  const told = async () =>
    (await readAll<SignalEnvelope>(broker.nats, 'SIGNALS')).flatMap(({ visitorId, signals }) =>
      signals.map(({ signal, signalId, details }) => ({ visitorId, signal, signalId, details })),
    )
  const toldOf = async (visitor: string) => (await told()).filter(({ visitorId }) => visitorId === visitor)
  const notes = async () => (await broker.nats.manager.streams.info(bucketStream(BUCKETS.timers))).state.messages

  /** Waits until the store has of a visitor what is expected. */
  async function stored(visitorId: string, isAsExpected: (profile: Profile) => boolean): Promise<void> {
    const { privacy, partitions } = broker.installation
    const key = profileKey(privacy.keyed, { siteId: SITE, visitorId }, partitions)
    const bucket = await broker.nats.kvm.open(BUCKETS.profiles)
    await until(
      `the stored profile of ${visitorId}`,
      async () => (await bucket.get(key))?.json<Profile>(),
      profile => profile !== undefined && isAsExpected(profile),
    )
  }

  it('are found once after 30 minutes, through an owner that ended at once and another one', async () => {
    await send('left', 'Product Added')
    await send('bought', 'Product Added')
    await send('bought', 'Order Completed')
    await stored('left', ({ patterns }) => patterns?.due !== undefined)
    await stored('bought', ({ events, patterns }) => events === 2 && patterns?.due === undefined)
    await until('one note', notes, count => count === 1)
    await owner.kill()
    minutes = 29
    owner = await startOwner()
    await send('left', 'Seen', {})
    await stored('left', ({ events }) => events === 2)
    expect(await told()).toEqual([])
    minutes = 31
    await until('a signal', told, signals => signals.length > 0)
    await stored('left', ({ patterns }) => patterns?.due === undefined)
    await until('no note', notes, count => count === 0)
    minutes = 120
    await send('left', 'Seen', {})
    await stored('left', ({ events }) => events === 3)
    expect(await told()).toMatchObject([{ visitorId: 'left', signal: 'cart_abandonment', details: { key: 'c1' } }])
  })

  it('are taken back by an order that arrives late', async () => {
    const [first] = await toldOf('left')
    // By the clock of the messages less than 30 minutes passed.
    await send('left', 'Order Completed')
    await until(
      'the retraction',
      () => toldOf('left'),
      signals => signals.length === 2,
    )
    expect((await toldOf('left'))[1]).toMatchObject({
      signal: 'cart_abandonment',
      details: { retracted: true, signal_id: first!.signalId },
    })
  })

  it('leave the other signals as they are', async () => {
    for (let view = 0; view < 3; view++) await send('undecided', 'Product Viewed', { product_id: 'p1' })
    await until(
      'a signal',
      () => toldOf('undecided'),
      signals => signals.length > 0,
    )
    expect(await toldOf('undecided')).toMatchObject([{ signal: 'repeated_view' }])
  })

  it('are known to profiles that were rebuilt, and told as a replay of the stream finds them', async () => {
    minutes = 0
    await send('later', 'Product Added')
    await stored('later', ({ patterns }) => patterns?.due !== undefined)
    await owner.stop()
    await broker.nats.manager.streams.purge(bucketStream(BUCKETS.timers))
    const { nats, installation } = broker
    const publisher = createPublisher(nats)
    await rebuildProfiles({ nats, installation, publisher, log, print: () => {} })
    publisher.close()
    owner = await startOwner()
    minutes = 31
    await until(
      'a signal',
      () => toldOf('later'),
      signals => signals.length > 0,
    )
    const { signals } = await replayedStreams(nats, installation)
    const ids = (await told()).map(({ signalId }) => signalId)
    expect(ids.sort()).toEqual(signals.map(({ signalId }) => signalId).sort())
    expect(new Set(ids).size).toBe(ids.length)
  })
})
