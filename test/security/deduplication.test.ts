import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyAndDetect } from '@slotstream/aggregator'
import {
  type EventEnvelope,
  isoTime,
  MAX_PUBLIC_AGE_MS,
  type SentEnvelope,
  type SignalEnvelope,
} from '@slotstream/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { restoreTable } from '../../aggregator/rebuild/restore-table.js'
import { formerSignalIdOf } from '../../aggregator/signal-id.js'
import { withoutDuplicates } from '../../aggregator/warehouse/duplicates.js'
import { recentKeys } from '../../aggregator/warehouse/recent-keys.js'
import { eventRows } from '../../aggregator/warehouse/rows/events.js'
import { signalRows } from '../../aggregator/warehouse/rows/signals.js'
import { SPECS } from '../../aggregator/warehouse/specs.js'
import { type ClickHouse, createWorld, startClickHouse, type World } from '../integration/warehouse-world.js'
import { putSite } from '../support/collector.js'
import { until } from '../support/until.js'
import { startWarehouseCollector } from '../support/warehouse-collector.js'

const SECRET = 'sk_live_0123456789abcdef'
const DAY_MS = 24 * 60 * 60 * 1000

let clickhouse: ClickHouse
let world: World
beforeAll(async () => {
  clickhouse = await startClickHouse()
})
afterAll(() => clickhouse?.stop())
beforeEach(async () => {
  world = await createWorld(clickhouse)
})
afterEach(() => world?.stop())

const order = (properties: object = {}, rest: object = {}) => ({
  type: 'track',
  event: 'Order Completed',
  messageId: 'order-1001',
  anonymousId: 'browser',
  userId: 'bob',
  timestamp: '2026-11-01T12:00:00.000Z',
  properties,
  ...rest,
})
const streamLength = async () => (await world.nats.manager.streams.info('EVENTS')).state.messages
const rows = () =>
  world.query<{ sender: string; n: string }>(
    'SELECT sender, toString(count()) AS n FROM slotstream.events GROUP BY sender ORDER BY sender',
  )

/** Waits until the loader has gone past everything in the stream: a message after all others is a row. */
async function settle() {
  const id = `last-${Math.random()}`
  await world.publish([
    { messageId: id, type: 'track', event: 'Last', anonymousId: id, timestamp: isoTime(Date.now()) },
  ])
  await until(
    'everything is loaded',
    () => world.number(`SELECT count() FROM slotstream.events WHERE message_id = '${id}'`),
    count => count === 1,
  )
  await clickhouse.client.command({
    query: `ALTER TABLE slotstream.events DELETE WHERE message_id = '${id}' SETTINGS mutations_sync = 1`,
  })
}

describe('what a secret key sends', () => {
  it.each([
    ['before', ['shop', SECRET]],
    ['after', [SECRET, 'shop']],
  ])('is not suppressed by what a public key sent %s it under the same ids', async (_when, keys) => {
    const collector = await startWarehouseCollector(world)
    await putSite(collector.url, 'shop', { secretKeys: [SECRET], identitySecret: 'identity-secret-0123456789' })
    const loader = world.load()
    const send = async () => {
      for (const key of keys) await collector.send(key, [order({ by: key })], { batchId: 'batch-1' })
    }
    await send()
    // Of the broker's window and of the warehouse: both kinds are in, and a repetition of each is known.
    expect(await streamLength()).toBe(2)
    await send()
    expect(await streamLength()).toBe(2)
    await settle()
    await loader.stop()
    world.load()
    await collector.send(keys[0]!, [order()], { batchId: 'later' })
    await collector.send(keys[1]!, [order()], { batchId: 'later' })
    await settle()
    expect(await rows()).toEqual([
      { sender: 'secret', n: '1' },
      { sender: 'unsigned', n: '1' },
    ])
    const [row] = await world.query<{ by: string }>(
      `SELECT toString(properties.by) AS by FROM slotstream.events WHERE sender = 'secret'`,
    )
    expect(row?.by).toBe(SECRET)
    await collector.stop()
  })

  it('is apart from signed, unsigned and plain messages of a page, each once', async () => {
    const collector = await startWarehouseCollector(world)
    await putSite(collector.url, 'shop', { secretKeys: [SECRET] })
    world.load()
    for (const batchId of ['a', 'b', 'c']) {
      await collector.send('shop', [order()], { batchId })
      await collector.send(SECRET, [order()], { batchId })
      await collector.send(SECRET, [order({}, { anonymousId: undefined })], { batchId })
    }
    await settle()
    // The last is another visitor's: a person without a browser.
    expect(await rows()).toEqual([
      { sender: 'public', n: '1' },
      { sender: 'secret', n: '2' },
    ])
    await collector.stop()
  })
})

describe('a clamped time', () => {
  const envelope = (received: number, timestamp: number): SentEnvelope => ({
    siteId: 'shop',
    visitorId: 'browser',
    receivedAt: isoTime(received),
    sentAt: isoTime(received),
    oldest: isoTime(received - MAX_PUBLIC_AGE_MS),
    sent: [order({}, { messageId: 'old', timestamp: isoTime(timestamp) })],
  })

  it('is known again days and a restart later, and keeps the place of its original time', async () => {
    const happened = Date.now() - 300 * DAY_MS
    for (const daysAgo of [20, 9, 0]) {
      const loader = world.load()
      await world.nats.js.publish('events.3', JSON.stringify(envelope(Date.now() - daysAgo * DAY_MS, happened)))
      await settle()
      await loader.stop()
    }
    const found = await world.query(
      `SELECT toUnixTimestamp64Milli(original_timestamp) = ${happened} AS original,
         dateDiff('day', timestamp, received_at) AS days, toString(context.timeClamped) AS clamped
       FROM slotstream.events`,
    )
    expect(found).toEqual([{ original: 1, days: '30', clamped: 'true' }])
  })

  it('is looked up also by a process that remembers longer than that', async () => {
    const now = Date.now()
    const recent = recentKeys(now - 60 * DAY_MS)
    const asked: string[] = []
    const made = (timestamp: number) =>
      eventRows(
        { seq: 1, subject: 'events.3', text: JSON.stringify(envelope(now, timestamp)), storedAt: '', deleted: false },
        1,
      )
    for (const timestamp of [now - 300 * DAY_MS, now - DAY_MS])
      await withoutDuplicates(made(timestamp), recent, async keys => {
        asked.push(...keys.map(({ time }) => time!))
        return new Set()
      })
    expect(asked).toEqual([isoTime(now - 300 * DAY_MS)])
  })
})

describe('rows put back from the lake', () => {
  it('are those of the sender that the table lacks; files from before there were senders are public', async () => {
    const collector = await startWarehouseCollector(world)
    await putSite(collector.url, 'shop', { secretKeys: [SECRET] })
    world.load()
    await collector.send('shop', [order()])
    await collector.send(SECRET, [order()])
    await settle()
    await collector.stop()
    const download = async (columns: string) => {
      const result = await clickhouse.client.exec({ query: `SELECT ${columns} FROM slotstream.events FORMAT Parquet` })
      const chunks: Buffer[] = []
      for await (const chunk of result.stream) chunks.push(chunk as Buffer)
      const path = join(tmpdir(), `lake-${process.pid}-${Math.random()}.parquet`)
      await writeFile(path, Buffer.concat(chunks))
      return path
    }
    const json =
      '* REPLACE (toString(properties) AS properties, toString(traits) AS traits, toString(context) AS context)'
    const [whole, former] = [await download(json), await download(`* EXCEPT sender ${json.slice(2)}`)]
    const remove = (where: string) =>
      clickhouse.client.command({
        query: `ALTER TABLE slotstream.events DELETE WHERE ${where} SETTINGS mutations_sync = 1`,
      })
    const source = { stream: 'EVENTS', base: 0, table: 'events', key: SPECS.events.key }
    const file = (path: string) => ({ path, first: 1, last: 1_000 }) as never
    await remove(`sender = 'secret'`)
    expect(await restoreTable(clickhouse.client, source, [file(whole)])).toBe(1)
    expect(await rows()).toEqual([
      { sender: 'public', n: '1' },
      { sender: 'secret', n: '1' },
    ])
    await remove('1')
    await restoreTable(clickhouse.client, source, [file(former)])
    expect((await rows()).map(({ sender }) => sender)).toEqual(['public'])
  })
})

describe('signals', () => {
  const envelope = (siteId: string, sender?: EventEnvelope['sender']): EventEnvelope => ({
    siteId,
    visitorId: 'v',
    receivedAt: '2026-01-01T00:00:00.000Z',
    ...(sender && { sender }),
    messages: [1, 2, 3, 4].map(n => ({
      messageId: `m${n}`,
      type: 'track',
      event: 'Product Viewed',
      anonymousId: 'v',
      timestamp: `2026-01-01T00:00:0${n}.000Z`,
      properties: { product_id: 'p' },
      context: { sessionId: 's' },
    })),
  })
  const found = (siteId: string, sender?: EventEnvelope['sender']): SignalEnvelope => ({
    siteId,
    visitorId: 'v',
    receivedAt: '2026-01-01T00:00:00.000Z',
    signals: applyAndDetect(undefined, envelope(siteId, sender), 1).signals,
  })

  it('of two sites with the same visitor, session and messages are two, and those of two senders', async () => {
    const all = [found('one'), found('two'), found('one', 'secret')]
    expect(all[0]!.signals.length).toBeGreaterThan(0)
    const ids = all.flatMap(({ signals }) => signals.map(({ signalId }) => signalId))
    expect(new Set(ids).size).toBe(ids.length)
    world.load({ spec: SPECS.signals })
    for (const each of [...all, ...all]) await world.nats.js.publish('signals.3', JSON.stringify(each))
    await until(
      'the signals are loaded',
      () => world.number('SELECT count() FROM slotstream.signals'),
      count => count === ids.length,
    )
  })

  it('that are stored under the ids of an earlier version are not stored again', async () => {
    const now = found('one')
    const former = {
      ...now,
      signals: now.signals.map(one => ({ ...one, signalId: formerSignalIdOf('v', one.messageId, one.signal) })),
    }
    const loader = world.load({ spec: SPECS.signals })
    await world.nats.js.publish('signals.3', JSON.stringify(former))
    const count = () => world.number('SELECT count() FROM slotstream.signals')
    await until('the former ones are loaded', count, n => n === now.signals.length)
    await loader.stop()
    world.load({ spec: SPECS.signals })
    for (const each of [now, found('two')]) await world.nats.js.publish('signals.3', JSON.stringify(each))
    await until('the other site’s are loaded', count, n => n >= 2 * now.signals.length)
    expect(await count()).toBe(2 * now.signals.length)
    // What a secret key sent had no ids before.
    const [row] = signalRows(
      { seq: 1, subject: 'signals.3', text: JSON.stringify(found('one', 'secret')), storedAt: '', deleted: false },
      1,
    )
    expect(row?.key).not.toHaveProperty('formerId')
  })
})
