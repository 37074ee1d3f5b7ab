import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway } from '../support/gateway.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

let system: System
let gateway: Awaited<ReturnType<typeof startGateway>>

beforeAll(async () => {
  system = await startSystem()
  gateway = await startGateway(system.collectorUrl)
})

afterAll(async () => {
  await gateway?.stop()
  await system?.stop()
})

interface Stored {
  type: string
  event: string
  user_id: string
  properties: Record<string, unknown>
  traits: Record<string, unknown>
}

/** What is stored of a user, once that many messages are there. */
const storedOf = (userId: string, count: number) =>
  until(
    `${count} messages of ${userId}`,
    () =>
      system.query<Stored>(
        `SELECT type, event, user_id, properties, traits FROM slotstream.events
         WHERE user_id = '${userId}' ORDER BY stream_seq, batch_index`,
      ),
    rows => rows.length >= count,
  )

const nested = { price: 12.5, count: 3, gift: true, note: null, tags: ['a', 'b'], size: { height: 1, unit: 'm' } }
// ClickHouse keeps no nulls in JSON: a key without a value is no key.
const { note: _null, ...kept } = nested

describe('clients of others, unmodified', () => {
  it('@segment/analytics-node delivers every call once, also when an answer is lost', async () => {
    const analytics = new Analytics({
      writeKey: 'demo',
      host: gateway.url,
      flushAt: 5,
      flushInterval: 100,
      maxRetries: 5,
    })
    gateway.loseAnswer()
    const userId = 'segment-user'
    analytics.identify({ userId, traits: { plan: 'pro' } })
    analytics.page({ userId, name: 'Home', properties: { url: 'https://shop.example/' } })
    analytics.group({ userId, groupId: 'g1', traits: { name: 'Example Ltd' } })
    for (let n = 0; n < 20; n++) analytics.track({ userId, event: 'Bought', properties: { n, ...nested } })
    await analytics.closeAndFlush()

    const rows = await storedOf(userId, 23)
    expect(rows).toHaveLength(23)
    expect(rows.filter(row => row.type === 'identify')).toMatchObject([{ traits: { plan: 'pro' } }])
    expect(rows.filter(row => row.type === 'page')).toMatchObject([{ event: 'Home' }])
    const bought = rows.filter(row => row.event === 'Bought').map(row => row.properties)
    expect(bought.toSorted((a, b) => Number(a.n) - Number(b.n))).toEqual(
      Array.from({ length: 20 }, (_, n) => ({ n, ...kept })),
    )
  })

  it('@rudderstack/rudder-sdk-node delivers every call once', async () => {
    const rudder = new RudderAnalytics('demo', { dataPlaneUrl: gateway.url, flushAt: 5, flushInterval: 100 })
    const userId = 'rudder-user'
    rudder.identify({ userId, traits: { plan: 'pro' } })
    for (let n = 0; n < 12; n++) rudder.track({ userId, event: 'Bought', properties: { n } })
    await rudder.flush()
    const rows = await storedOf(userId, 13)
    expect(rows).toHaveLength(13)
    expect(new Set(rows.filter(row => row.event === 'Bought').map(row => row.properties.n)).size).toBe(12)
  })

  it('curl with the calls of Segment’s documentation, lenient times included', async () => {
    const userId = 'curl-user'
    const calls: [string, object][] = [
      [
        'identify',
        { userId, traits: { email: 'a@shop.example', industry: 'Technology' }, timestamp: '2012-12-02T00:30:08.276Z' },
      ],
      [
        'track',
        {
          userId,
          event: 'Item Purchased',
          properties: { name: 'Leap to Conclusions', revenue: 14.99 },
          timestamp: '2012-12-02T00:30:12.984Z',
        },
      ],
      ['page', { userId, name: 'Automotive', properties: {}, timestamp: '2015-2-02T00:30:08.276Z' }],
      [
        'group',
        {
          userId,
          groupId: '0e8c78ea9d97a7b8185e8632',
          traits: { name: 'Initech' },
          timestamp: '2012-12-02T00:30:08.276Z',
        },
      ],
      ['alias', { previousId: '39239-239239-239239-23923', userId, timestamp: '2012-12-02T00:30:12.984Z' }],
    ]
    for (const [call, body] of calls) {
      const { stdout } = await promisify(execFile)('curl', [
        '-sS',
        `${system.collectorUrl}/v1/${call}`,
        '-u',
        'demo:',
        '-H',
        'Content-Type: application/json',
        '-d',
        JSON.stringify(body),
      ])
      expect(JSON.parse(stdout)).toMatchObject({ success: true, accepted: 1, rejected: [] })
    }
    const rows = await storedOf(userId, calls.length)
    expect(rows.map(row => row.type)).toEqual(calls.map(([call]) => call))
  })
})
