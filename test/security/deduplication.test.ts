import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EventEnvelope,
  isoTime,
  MAX_PUBLIC_AGE_MS,
  type SentEnvelope,
  type SignalEnvelope,
} from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restoreTable } from '#aggregator/commands/rebuild/restore-table.js'
import { withoutDuplicates } from '#aggregator/warehouse/load/write/duplicates.js'
import { recentKeys } from '#aggregator/warehouse/load/write/recent-keys.js'
import { eventRows } from '#aggregator/warehouse/rows/events.js'
import { signalRows } from '#aggregator/warehouse/rows/signals.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { type ClickHouse, createWorld, startClickHouse, type World } from '../integration/warehouse-world.js'
import { putSite } from '../support/collector.js'
import { applyAndDetect, formerSignalIdOf } from '../support/signals.js'
import { until } from '../support/until.js'
import { startWarehouseCollector } from '../support/warehouse-collector.js'

const SECRET = 'sk_live_0123456789abcdef'
const DAY_MS = 24 * 60 * 60 * 1000

let clickhouse: ClickHouse
let world: World
let collector: Awaited<ReturnType<typeof startWarehouseCollector>>
beforeAll(async () => {
  clickhouse = await startClickHouse()
  world = await createWorld(clickhouse)
  collector = await startWarehouseCollector(world)
})
afterAll(async () => {
  await collector?.stop()
  await world?.stop()
  await clickhouse?.stop()
})

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
const rows = (siteId: string) =>
  world.query<{ sender: string; n: string }>(
    `SELECT sender, toString(count()) AS n FROM slotstream.events WHERE site_id = '${siteId}'
     GROUP BY sender ORDER BY sender`,
  )

/** Waits until the loader has gone past everything in the stream: a message after all others is a row. */
async function settle() {
  const id = `last-${Math.random()}`
  const last = { messageId: id, type: 'track', event: 'Last', anonymousId: id, timestamp: isoTime(Date.now()) } as const
  await world.publish([last], last.timestamp, 'settled')
  await until(
    'everything is loaded',
    () => world.number(`SELECT count() FROM slotstream.events WHERE message_id = '${id}'`),
    count => count === 1,
  )
}

describe('what a secret key sends', () => {
  it.each([
    ['before', 'first', ['first', `${SECRET}-first`]],
    ['after', 'second', [`${SECRET}-second`, 'second']],
  ])('is not suppressed by what a public key sent %s it under the same ids', async (_when, siteId, keys) => {
    const secretKeys = [`${SECRET}-${siteId}`]
    await putSite(collector.url, siteId, { secretKeys, identitySecret: 'identity-secret-0123456789' })
    const loader = world.load()
    const before = await streamLength()
    const send = async (batchId: string) => {
      for (const key of keys) await collector.send(key, [order({ by: key })], { batchId })
    }
    await send('batch-1')
    // Neither the broker nor the warehouse takes one for the other, and each kind's repetition is known.
    expect(await streamLength()).toBe(before + 2)
    await send('batch-1')
    expect(await streamLength()).toBe(before + 2)
    await settle()
    await loader.stop()
    const restarted = world.load()
    await send('later')
    await settle()
    await restarted.stop()
    expect(await rows(siteId)).toEqual([
      { sender: 'secret', n: '1' },
      { sender: 'unsigned', n: '1' },
    ])
    const [row] = await world.query<{ by: string }>(
      `SELECT toString(properties.by) AS by FROM slotstream.events WHERE site_id = '${siteId}' AND sender = 'secret'`,
    )
    expect(row?.by).toBe(secretKeys[0])
  })

  it('is apart from what a page sends, each once, also about a person without a browser', async () => {
    await putSite(collector.url, 'apart', { secretKeys: [SECRET] })
    const loader = world.load()
    for (const batchId of ['a', 'b', 'c']) {
      await collector.send('apart', [order()], { batchId })
      await collector.send(SECRET, [order()], { batchId })
      await collector.send(SECRET, [order({}, { anonymousId: undefined })], { batchId })
    }
    await settle()
    await loader.stop()
    expect(await rows('apart')).toEqual([
      { sender: 'public', n: '1' },
      { sender: 'secret', n: '2' },
    ])
  })
})

describe('a clamped time', () => {
  const envelope = (received: number, timestamp: number): SentEnvelope => ({
    siteId: 'clamped',
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
       FROM slotstream.events WHERE site_id = 'clamped'`,
    )
    expect(found).toEqual([{ original: 1, days: 30, clamped: 'true' }])
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
    const secretKeys = [`${SECRET}-lake`]
    await putSite(collector.url, 'lake', { secretKeys })
    const loader = world.load()
    await collector.send('lake', [order()])
    await collector.send(secretKeys[0]!, [order()])
    await settle()
    await loader.stop()
    const download = async (columns: string) => {
      const result = await clickhouse.client.exec({
        query: `SELECT ${columns} FROM slotstream.events WHERE site_id = 'lake' FORMAT Parquet`,
      })
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
        query: `ALTER TABLE slotstream.events DELETE WHERE site_id = 'lake' AND ${where} SETTINGS mutations_sync = 1`,
      })
    const source = { stream: 'EVENTS', base: 0, table: 'events', key: SPECS.events.key }
    const file = (path: string) => ({ path, first: 1, last: 1_000 }) as never
    await remove(`sender = 'secret'`)
    expect(await restoreTable(clickhouse.client, source, [file(whole)])).toBe(1)
    expect(await rows('lake')).toEqual([
      { sender: 'public', n: '1' },
      { sender: 'secret', n: '1' },
    ])
    await remove('1')
    await restoreTable(clickhouse.client, source, [file(former)])
    expect((await rows('lake')).map(({ sender }) => sender)).toEqual(['public'])
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
    const loader = world.load({ spec: SPECS.signals })
    for (const each of [...all, ...all]) await world.nats.js.publish('signals.3', JSON.stringify(each))
    await until(
      'the signals are loaded',
      () => world.number(`SELECT count() FROM slotstream.signals WHERE site_id IN ('one', 'two')`),
      count => count === ids.length,
    )
    await loader.stop()
  })

  it('that are stored under the ids of an earlier version are not stored again', async () => {
    const now = found('three')
    const former = {
      ...now,
      signals: now.signals.map(one => ({ ...one, signalId: formerSignalIdOf('v', one.messageId, one.signal) })),
    }
    const loader = world.load({ spec: SPECS.signals })
    await world.nats.js.publish('signals.3', JSON.stringify(former))
    const count = () => world.number(`SELECT count() FROM slotstream.signals WHERE site_id IN ('three', 'four')`)
    await until('the former ones are loaded', count, n => n === now.signals.length)
    await loader.stop()
    const restarted = world.load({ spec: SPECS.signals })
    for (const each of [now, found('four')]) await world.nats.js.publish('signals.3', JSON.stringify(each))
    await until('the other site’s are loaded', count, n => n >= 2 * now.signals.length)
    expect(await count()).toBe(2 * now.signals.length)
    await restarted.stop()
    // What a secret key sent had no ids before.
    const [row] = signalRows(
      { seq: 1, subject: 'signals.3', text: JSON.stringify(found('one', 'secret')), storedAt: '', deleted: false },
      1,
    )
    expect(row?.key).not.toHaveProperty('formerId')
  })
})
