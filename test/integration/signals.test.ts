import {
  type EventEnvelope,
  partitionOf,
  type SignalName,
  type StoredMessage,
  streamSubject,
  webhookKey,
} from '@slotstream/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { replayedStreams } from '../support/profiles-of-stream.js'
import { until } from '../support/until.js'
import { startReceiver } from '../support/webhook-receiver.js'
import { wrongSignals } from '../support/wrong-signals.js'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from './warehouse-world.js'

const SITE = 'demo'
const SIGNALS = 'SIGNALS'

let clickhouse: ClickHouse
let world: World
let running: Aggregator[] = []

beforeAll(async () => {
  clickhouse = await startClickHouse()
})
afterAll(() => clickhouse?.stop())
beforeEach(async () => {
  world = await createWorld(clickhouse)
})
afterEach(async () => {
  await Promise.all(running.map(each => each.end('SIGKILL')))
  running = []
  await world?.stop()
})

async function start(env: NodeJS.ProcessEnv = {}): Promise<Aggregator> {
  const { url, username, password } = clickhouse.account
  const started = await startAggregator({
    NATS_URL: world.url,
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: username,
    CLICKHOUSE_PASSWORD: password,
    AGGREGATOR_NAME: 'test',
    ...env,
  })
  running.push(started)
  return started
}

async function publish(visitorId: string, messages: StoredMessage[], siteId = SITE): Promise<void> {
  const envelope: EventEnvelope = { siteId, visitorId, receivedAt: new Date().toISOString(), messages }
  const subject = streamSubject('events', partitionOf(siteId, visitorId, world.installation.partitions))
  await world.nats.js.publish(subject, JSON.stringify(envelope))
}

/** What a visitor does that makes one signal of each kind. */
function busy(visitorId: string): StoredMessage[] {
  const product = (event: string, category: string, id: string) =>
    stored({ anonymousId: visitorId, event, properties: { category, product_id: id } })
  return [
    ...Array.from({ length: 3 }, () => product('Product Viewed', 'shoes', 'p1')),
    ...Array.from({ length: 2 }, (_, i) => product('Product Added', 'hats', `p${2 + i}`)),
    ...Array.from({ length: 300 }, () => stored({ anonymousId: visitorId })),
  ]
}

const count = () => world.number('SELECT count() FROM slotstream.signals')
const lastSignal = async () => (await world.nats.manager.streams.info(SIGNALS)).state.last_seq
const wrong = async () => wrongSignals(world.query, (await replayedStreams(world.nats, world.installation)).signals)

describe('signals', () => {
  it('come from messages to rows, one of each kind, past what is no message', async () => {
    await world.nats.js.publish(streamSubject('events', partitionOf(SITE, 'v1', 32)), 'not JSON')
    await publish('v1', busy('v1'))
    await publish('v1', [stored({ anonymousId: 'v1', timestamp: 'soon' })])
    await publish('v1', busy('v1'))
    const aggregator = await start()
    await until('the signals', count, n => n === 3)
    expect(
      await world.query<{ signal: SignalName }>('SELECT signal, anonymous_id FROM slotstream.signals ORDER BY signal'),
    ).toEqual(['interest_shift', 'repeated_view', 'session_anomaly'].map(signal => ({ signal, anonymous_id: 'v1' })))
    const metrics = await (await fetch(`${aggregator.url}/metrics`)).text()
    expect(metrics).toMatch(/slotstream_signals_total\{signal="interest_shift"\} 1/)
    await until(
      'the lag of the stream',
      async () => (await fetch(`${aggregator.url}/metrics`)).text(),
      text => text.includes('slotstream_lag_messages{role="warehouse",stream="SIGNALS",partition=""} 0'),
    )
  })

  it('of a pattern come without a further message, and a row takes them back that a late message refutes', async () => {
    const before = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
    const properties = { cart_id: 'c1' }
    await publish('v1', [stored({ event: 'Product Added', timestamp: before(60), properties })])
    await start()
    await until('the signal', count, n => n === 1)
    await publish('v1', [stored({ event: 'Order Completed', timestamp: before(50), properties })])
    await until('the row that takes it back', count, n => n === 2)
    const rows = await world.query<{ signal: string; id: string; message: string; of: string | null }>(
      `SELECT signal, signal_id AS id, message_id AS message, details.signal_id::Nullable(String) AS of
       FROM slotstream.signals ORDER BY details.retracted::Nullable(Bool) NULLS FIRST`,
    )
    expect(rows.map(({ signal }) => signal)).toEqual(['cart_abandonment', 'cart_abandonment'])
    expect(rows.map(({ of }) => of)).toEqual([null, rows[0]!.id])
    expect(await wrong()).toEqual([])
  })

  it('are delivered to webhooks, and each attempt is a row, through a process that is killed', async () => {
    const receiver = await startReceiver()
    const { buckets, privacy } = world.installation
    const url = `${receiver.url}/`
    const webhook = { webhookId: 'w1', siteId: SITE, url, signals: ['repeated_view'], createdAt: '', since: {} }
    const sealedSecret = privacy.seal(`whsec_${Buffer.alloc(32).toString('base64')}`)
    await buckets.webhooks.put(webhookKey(webhook), JSON.stringify({ ...webhook, sealedSecret }))
    const failed = new Set<string>()
    receiver.answer = ({ body }) => {
      const isFirst = !failed.has(body.data.anonymousId)
      failed.add(body.data.anonymousId)
      return isFirst ? 503 : 200
    }
    const env = { WEBHOOK_ALLOW_PRIVATE: '1', WEBHOOK_RETRY_S: '1' }
    const first = await start(env)
    for (let n = 0; n < 10; n++) await publish(`v${n}`, busy(`v${n}`))
    await until(
      'some attempts',
      () => receiver.received.length,
      count => count >= 5,
    )
    await first.end('SIGKILL')
    await start(env)
    const outcomes = () =>
      world.query<{ outcome: string; visitors: number; rows: number; ids: number; attempts: number }>(
        `SELECT outcome, uniqExact(anonymous_id) AS visitors, count() AS rows, uniqExact(delivery_id) AS ids,
                uniqExact(attempt_id) AS attempts
         FROM slotstream.webhook_deliveries GROUP BY outcome ORDER BY outcome`,
      )
    const rows = await until('rows of all', outcomes, found => found[0]?.visitors === 10)
    const [delivered] = rows
    expect(delivered).toMatchObject({ outcome: 'delivered', ids: 10 })
    for (const { rows: count, attempts } of rows) expect(count).toBe(attempts)
    const seen = new Set(receiver.taken().map(({ headers }) => headers['webhook-id']))
    expect(seen.size).toBe(10)
    // An attempt whose process was killed before it had recorded it has no row.
    expect(rows.reduce((sum, row) => sum + row.rows, 0)).toBeLessThanOrEqual(receiver.received.length)
    await receiver.stop()
  })

  it('are there once when the process is killed after they were published and before a profile is stored', async () => {
    // From now on the broker takes signals, and no profile.
    await world.nats.manager.streams.update('KV_profiles', { max_msg_size: 10 })
    // Nor does it know a second copy of a signal for long: the warehouse has to.
    await world.nats.manager.streams.update(SIGNALS, { duplicate_window: 100_000_000 })
    const visitors = Array.from({ length: 20 }, (_, i) => `v${i}`)
    for (const visitorId of visitors) await publish(visitorId, busy(visitorId))
    const first = await start()
    await until('the signals are published', lastSignal, last => last >= visitors.length)
    await until('the signals are loaded', count, n => n === 3 * visitors.length)
    await first.end('SIGKILL')
    const before = await lastSignal()

    await world.nats.manager.streams.update('KV_profiles', { max_msg_size: -1 })
    await start()
    await until('they are published again', lastSignal, last => last >= before + visitors.length)
    await publish('last', busy('last'))
    await until('what came after', count, n => n >= 3 * visitors.length + 3)
    expect(await wrong()).toEqual([])
  })

  it('are not lost when they cannot be published: nothing counts as stored before', async () => {
    await world.nats.manager.streams.update(SIGNALS, { max_msg_size: 10 })
    await publish('v1', busy('v1'))
    const first = await start()
    await until(
      'it is tried',
      () => first.output(),
      text => text.includes('storing profiles failed'),
    )
    await first.end('SIGKILL')
    const { profiles, positions } = world.installation.buckets
    expect((await profiles.status()).values).toBe(0)
    expect(await positions.get(`profiles.${partitionOf(SITE, 'v1', 32)}`)).toBeNull()

    await world.nats.manager.streams.update(SIGNALS, { max_msg_size: -1 })
    await start()
    await until('the signals', count, n => n === 3)
    expect(await wrong()).toEqual([])
  })

  it('are those that a site wants, from when it says so', async () => {
    const put = (siteId: string, signals: SignalName[]) =>
      world.installation.buckets.sites.put(siteId, JSON.stringify({ siteId, writeKeys: [siteId], signals }))
    await put('quiet', [])
    await put('some', ['repeated_view'])
    await start()
    for (const site of ['quiet', 'some', SITE]) await publish('v1', busy('v1'), site)
    await until('the signals', count, n => n === 4)
    expect(
      await world.query('SELECT site_id, count() AS n FROM slotstream.signals GROUP BY site_id ORDER BY site_id'),
    ).toEqual([
      { site_id: SITE, n: 3 },
      { site_id: 'some', n: 1 },
    ])
  })

  it('are not published once more by a rebuild of the profiles, and go on after it', async () => {
    await start()
    await publish('v1', busy('v1'))
    await until('the signals', count, n => n === 3)
    const before = await lastSignal()
    await rebuild({ from: 'stream', only: ['profiles'] }, { ...world, print: () => {}, clickhouse: clickhouse.client })
    expect(await lastSignal()).toBe(before)
    await publish('v2', busy('v2'))
    await until('the signals of another visitor', count, n => n === 6)
    expect(await wrong()).toEqual([])
  })
})
