import { deflateSync, gzipSync } from 'node:zlib'
import { type EventEnvelope, openEnvelope, partitionOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { began, eventsOf, idsOf, nats, newId, post, track, withCollector } from '../support/collector-api.js'

withCollector()

describe('a batch', () => {
  it('is acknowledged with the position at which the stream has it', async () => {
    const visitor = newId('v')
    const batch = [track(visitor), track(visitor)]
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch, sentAt: new Date().toISOString() })
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, accepted: 2, rejected: [] })
    const stored = await nats.manager.streams.getMessage('EVENTS', { seq: body.position! })
    expect(stored?.subject).toBe(`events.${partitionOf('shop', visitor, 8)}`)
    expect(openEnvelope(stored!.json<EventEnvelope>())).toMatchObject({
      siteId: 'shop',
      visitorId: visitor,
      messages: batch.map(({ messageId }) => ({ messageId, context: { userAgent: 'node' } })),
    })
  })

  it('that comes again is stored once and gets the same position', async () => {
    const visitor = newId('v')
    const body = { writeKey: 'shop', batchId: newId('b'), batch: [track(visitor), track(visitor)] }
    const first = await post('/v1/batch', body)
    const second = await post('/v1/b', body)
    expect(second.body).toEqual(first.body)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('with a known batch id but other messages is stored', async () => {
    const visitor = newId('v')
    const batchId = newId('b')
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(visitor)] })
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(visitor)] })
    expect(await eventsOf(visitor)).toHaveLength(2)
  })

  it("cannot suppress another visitor's or another site's messages by using their ids", async () => {
    const [first, second] = [newId('v'), newId('v')]
    const batchId = newId('b')
    const messageId = newId('m')
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(first, { messageId })] })
    await post('/v1/batch', { writeKey: 'shop', batchId, batch: [track(second, { messageId })] })
    await post('/v1/batch', { writeKey: 'strict', batchId, batch: [track(first, { messageId })] })
    expect((await eventsOf(first)).map(({ siteId }) => siteId)).toEqual(['shop', 'strict'])
    expect(await eventsOf(second)).toHaveLength(1)
  })

  it('of several visitors becomes one stream message for each', async () => {
    const [first, second] = [newId('v'), newId('v')]
    const batch = [track(first), track(second), track(first)]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect(body).toEqual({ success: true, accepted: 3, rejected: [] })
    expect(idsOf(await eventsOf(first))).toEqual([batch[0]!.messageId, batch[2]!.messageId])
    expect(idsOf(await eventsOf(second))).toEqual([batch[1]!.messageId])
  })

  it('of more visitors than may be in flight is stored all the same', async () => {
    const prefix = newId('crowd')
    const batch = Array.from({ length: 4_500 }, (_, i) => ({
      type: 'page',
      messageId: `${i}`,
      userId: `${prefix}-${i}`,
    }))
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect([status, body.accepted]).toEqual([200, 4_500])
  })

  it('that grows beyond a stream message when it is written out is stored in order', async () => {
    const visitor = newId('v')
    const batch = Array.from({ length: 60 }, () => track(visitor, { properties: { list: 'REPLACE' } }))
    // 1e20 is four characters here and twenty-one when it is written out, which a context for all makes necessary.
    const text = JSON.stringify({ writeKey: 'shop', batch, context: { app: { name: 'Shop' } } }).replaceAll(
      '"REPLACE"',
      `[${new Array(1_300).fill('1e20')}]`,
    )
    const { status, body } = await post('/v1/batch', text)
    expect([status, body.accepted]).toEqual([200, 60])
    const stored = await eventsOf(visitor)
    expect(stored.length).toBeGreaterThan(1)
    expect(idsOf(stored)).toEqual(batch.map(({ messageId }) => messageId))
    expect(body.position).toBe(stored.at(-1)?.seq)
  })

  it('that is empty is fine', async () => {
    expect(await post('/v1/batch', { writeKey: 'shop', batch: [] })).toMatchObject({
      status: 200,
      body: { success: true, accepted: 0, rejected: [] },
    })
  })
})

describe('the ways in', () => {
  it('gzip without a header that says so, as pages send it', async () => {
    const text = JSON.stringify({ batch: [] })
    const plain = await post('/v1/batch', text, { 'Content-Type': 'text/plain' })
    expect(await post('/v1/batch', gzipSync(text), { 'Content-Type': 'text/plain' })).toMatchObject({
      status: plain.status,
    })
    const cut = gzipSync(text).subarray(0, 15)
    expect((await post('/v1/batch', cut, { 'Content-Type': 'text/plain' })).status).toBe(400)
  })

  it.each(['gzip', 'deflate'])('%s', async encoding => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    const body = encoding === 'gzip' ? gzipSync(text) : deflateSync(text)
    expect((await post('/v1/batch', body, { 'Content-Encoding': encoding })).status).toBe(200)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('text/plain, as beacons send it', async () => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    expect((await post('/v1/batch', text, { 'Content-Type': 'text/plain;charset=UTF-8' })).status).toBe(200)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('HTTP Basic and the query string, for the write key', async () => {
    const batch = [track(newId('v'))]
    const Authorization = `Basic ${Buffer.from('shop:').toString('base64')}`
    expect((await post('/v1/batch', { batch }, { Authorization })).status).toBe(200)
    expect((await post('/v1/batch?writeKey=shop', { batch })).status).toBe(200)
  })

  it.each([
    ['track', 't', { event: 'E' }],
    ['page', 'p', {}],
    ['screen', 's', {}],
    ['identify', 'i', { traits: { a: 1 } }],
    ['group', 'g', { groupId: 'g' }],
    ['alias', 'a', { previousId: 'p' }],
  ])('/v1/%s and /v1/%s', async (type, letter, rest) => {
    const visitor = newId('v')
    for (const path of [type, letter]) {
      const message = { ...rest, messageId: newId('m'), anonymousId: visitor, writeKey: 'shop' }
      expect(await post(`/v1/${path}`, message)).toMatchObject({ status: 200, body: { accepted: 1 } })
    }
    const messages = (await eventsOf(visitor)).flatMap(envelope => envelope.messages)
    expect(messages).toMatchObject([{ type }, { type }])
    expect(messages[0]).not.toHaveProperty('writeKey')
  })

  it.each(['/v1/import', '/v1/import/', '/v1/batch/', '/beacon/v1/batch'])(
    '%s, a batch with its key in the body, as older libraries post it',
    async path => {
      const visitor = newId('v')
      const sent = { batch: [track(visitor)], sentAt: new Date().toISOString(), context: { ip: '0' }, sequence: 1 }
      expect(await post(path, { ...sent, writeKey: 'shop' })).toMatchObject({ status: 200, body: { accepted: 1 } })
      expect((await eventsOf(visitor)).flatMap(({ messages }) => messages)).toHaveLength(1)
    },
  )

  it.each([
    ['as it is', (text: Buffer) => text],
    ['gzipped', gzipSync],
  ])('JSON that begins with a byte order mark, %s', async (_how, pack) => {
    const visitor = newId('v')
    const body = pack(Buffer.from(`\uFEFF${JSON.stringify({ batch: [track(visitor)] })}`))
    expect(await post('/v1/batch?writeKey=shop', body)).toMatchObject({ status: 200, body: { accepted: 1 } })
    expect((await eventsOf(visitor)).flatMap(({ messages }) => messages)).toHaveLength(1)
    const single = `\uFEFF${JSON.stringify(track(visitor))}`
    expect(await post('/v1/track?writeKey=shop', single)).toMatchObject({ status: 200, body: { accepted: 1 } })
  })

  it('paths written in another way, through the router', async () => {
    expect((await post('/v1/Batch/', { writeKey: 'shop', batch: [] })).status).toBe(200)
  })
})

describe('numbers beyond 2^53', () => {
  const [one, other] = ['175928847299117063', '175928847299117064']
  const text = (message: object) => JSON.stringify(message).replaceAll(/"#(\d+)"/g, '$1')

  it('are the ids that they are, and stay numbers in properties', async () => {
    const batch = [
      track(`#${one}`, { properties: { n: `#${one}` } }),
      { ...track('x', { userId: `#${other}` }), anonymousId: null },
      track('digits', { properties: { n: `#${other}` }, context: { sessionId: `#${one}` } }),
    ]
    await post('/v1/batch', text({ writeKey: 'shop', batch }))
    const single = track('digits', { userId: `#${other}`, properties: { n: `#${one}` } })
    await post('/v1/track', text({ writeKey: 'shop', ...single }))
    expect(await eventsOf(one!)).toMatchObject([{ messages: [{ anonymousId: one }] }])
    expect(await eventsOf(`user:${other}`)).toMatchObject([{ messages: [{ userId: other }] }])
    expect((await eventsOf('digits')).flatMap(({ messages }) => messages)).toMatchObject([
      { context: { sessionId: one } },
      { userId: other },
    ])
    const { state } = await nats.manager.streams.info('EVENTS')
    let stream = ''
    for (let seq = began.get('EVENTS')! + 1; seq <= state.last_seq; seq++)
      stream += (await nats.manager.streams.getMessage('EVENTS', { seq }))?.string()
    expect(stream.match(/"n":\d+/g)).toEqual([one, other, one].map(digits => `"n":${digits}`))
  })
})
