import { startWebhooks } from '@slotstream/aggregator'
import {
  type DeliveryEnvelope,
  partitionOf,
  type SignalEnvelope,
  streamSubject,
  type WebhookDelivery,
} from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { webhookSettings } from '#aggregator/settings.js'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from './collector.js'
import { someIdentity } from './some-identity.js'
import { until } from './until.js'
import { type Received, type Receiver, startReceiver } from './webhook-receiver.js'

const log = createLog('test')
log.level = process.env.LOG_LEVEL || 'silent'

/** Partitions of the installation. */
export const PARTITIONS = 8

/** Pauses as short as tests need them. */
const FAST = { ...webhookSettings({}), allowPrivate: true, retryMs: 40, longestRetryMs: 200, giveUpMs: 60_000 }

/** A broker with a collector, and for each test a site and a receiver of webhooks. */
export interface WebhookWorld {
  broker: Awaited<ReturnType<typeof startBroker>>
  /** Its URL. */
  collector: string
  receiver: Receiver
  site: string
}

/** Starts the world before the tests of a file, and ends it after them; the roles of a test end with it. */
export function withWebhooks() {
  const world = {} as WebhookWorld
  let sites = 0
  let signals = 0
  let running: { stop(): Promise<void> }[] = []

  beforeAll(async () => {
    world.broker = await startBroker({ PARTITIONS: String(PARTITIONS) })
    const { collectorSettings } = await import('#collector/settings.js')
    world.collector = await world.broker.collector({
      settings: { ...collectorSettings({}), allowPrivateWebhooks: true },
    })
  })
  afterAll(() => world.broker?.stop())
  beforeEach(async () => {
    world.site = `shop-${++sites}`
    await putSite(world.collector, world.site)
    world.receiver = await startReceiver()
  })
  afterEach(async () => {
    await Promise.all(running.map(each => each.stop()))
    running = []
    await world.receiver.stop()
  })

  /** The role in this process, which can be ended as if its machine had lost its power. */
  async function start(settings: Partial<typeof FAST> = {}, now = Date.now) {
    const nats = await connectNats(world.broker.url, 'webhooks', log)
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
    const response = await fetch(`${world.collector}/v1/admin/sites/${world.site}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, ...((await response.json()) as T) }
  }

  const declare = (body: object = {}) =>
    admin<{ id: string; secret: string; url: string }>('POST', '/webhooks', {
      url: `${world.receiver.url}/hook`,
      ...body,
    })

  /** Puts signals of a visitor into the stream, as the profiles role does. Resolves to their ids. */
  async function signalled(visitorId: string, count = 1, more: object = {}): Promise<string[]> {
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      const signalId = `signal-${++signals}`
      const at = new Date().toISOString()
      const record = { signalId, signal: 'left-cart', messageId: `m${signals}`, timestamp: at, anonymousId: visitorId }
      const rest = { userId: '', sessionId: 's1', details: { cart: `c${signals}` }, ...more }
      const envelope: SignalEnvelope = {
        siteId: world.site,
        visitorId,
        receivedAt: at,
        signals: [{ ...record, ...rest }],
      }
      const subject = streamSubject('signals', partitionOf(world.site, visitorId, PARTITIONS))
      await world.broker.nats.js.publish(subject, JSON.stringify(envelope))
      ids.push(signalId)
    }
    return ids
  }

  const untilTaken = (count: number, path?: string) =>
    until(
      `${count} signals`,
      () => world.receiver.taken(path),
      taken => new Set(idsOf(taken)).size === count,
    )
  const deliveries = async (id: string) =>
    (await admin<{ deliveries: WebhookDelivery[] }>('GET', `/webhooks/${id}/deliveries`)).deliveries
  const recorded = async (webhookId: string) =>
    (await readAll<DeliveryEnvelope>(world.broker.nats, 'DELIVERIES'))
      .filter(({ siteId }) => siteId === world.site)
      .flatMap(envelope => envelope.deliveries)
      .filter(delivery => delivery.webhookId === webhookId)

  /**
   * Signals for a webhook in the partition of the visitor `left` that are not known to be delivered, as a next owner sees
   * it.
   */
  async function untaken(webhookId: string): Promise<number> {
    const { positions } = world.broker.installation.buckets
    const partition = partitionOf(world.site, 'left', PARTITIONS)
    const { last_seq } = (await world.broker.nats.manager.streams.info('SIGNALS')).state
    const position = (await positions.get(`webhooks.${partition}.${webhookId}`))?.json<{ pending: object[] }>()
    const through = (await positions.get(`webhooks.${partition}`))?.json<{ seq: number }>().seq ?? 0
    return (position?.pending.length ?? 1) + last_seq - through
  }

  return { world, log, start, admin, declare, signalled, untilTaken, deliveries, recorded, untaken }
}

/** Returns the ids of the signals that a receiver got, in order. */
export const idsOf = (received: Received[]) => received.map(({ body }) => body.data.signalId)
