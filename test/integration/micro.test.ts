import { createMicro } from '@slotstream/collector'
import type { EventEnvelope, RejectedEnvelope } from '@slotstream/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readPlan } from '#collector/micro/read-plan.js'
import { readSlots } from '#collector/micro/read-slots.js'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { quietLog } from '../support/quiet-log.js'

const sdkFile = new URL('../../examples/demo/dom.js', import.meta.url).pathname
const deps = { sdkFile, log: quietLog() }
const micro = createMicro(deps)
let url: string

beforeAll(async () => {
  url = `http://127.0.0.1:${await micro.listen(0, '127.0.0.1')}`
})

afterAll(() => micro.stop())

const get = async (path: string, at = url) => (await fetch(`${at}${path}`)).json()

beforeEach(() => get('/micro/reset'))

async function post(path: string, body: unknown, at = url) {
  const response = await fetch(`${at}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

const track = (rest: object = {}) => ({ type: 'track', event: 'E', anonymousId: 'v', ...rest })

describe('the small collector', () => {
  it('keeps what it accepted and what it rejected, and counts both', async () => {
    const batch = [track({ messageId: 'm-1' }), track({ messageId: 'm-2', event: '' })]
    const answer = await post('/v1/batch', { writeKey: 'demo', batch })
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ messageId: 'm-2', code: 'missing_field' }] })
    expect(await get('/micro/good')).toMatchObject([{ messageId: 'm-1', event: 'E', siteId: 'demo', visitorId: 'v' }])
    expect(await get('/micro/bad')).toMatchObject([{ messageId: 'm-2', code: 'missing_field', siteId: 'demo' }])
    expect(await get('/micro/all')).toEqual({ total: 2, good: 1, bad: 1, forgotten: 0 })
  })

  it('holds messages to a folder of schemas', async () => {
    const plan = await readPlan(new URL('../../examples/schemas', import.meta.url).pathname, 'violation')
    const strict = createMicro({ ...deps, plan })
    const at = `http://127.0.0.1:${await strict.listen(0, '127.0.0.1')}`
    const good = track({ event: 'Product Viewed', properties: { product_id: 'p' } })
    const bad = track({ event: 'Product Viewed', properties: {} })
    const answer = await post('/v1/batch', { writeKey: 'demo', batch: [good, bad, track({ event: 'E' })] }, at)
    expect(answer.body).toMatchObject({ accepted: 1 })
    expect(await get('/micro/bad', at)).toMatchObject([
      { code: 'schema_violation', path: '$.properties.product_id', schemaVersion: '1-0-1' },
      { code: 'unplanned_event' },
    ])
    await strict.stop()
    await expect(readPlan('/nowhere', 'allow')).rejects.toThrow('MICRO_SCHEMAS cannot be used: there is no folder')
    await expect(readPlan('/nowhere', 'maybe')).rejects.toThrow('MICRO_UNPLANNED is "maybe"')
  })

  it('keeps why a request was rejected as a whole', async () => {
    expect((await post('/v1/batch', '{"batch":')).status).toBe(400)
    expect((await post('/v1/track', track())).status).toBe(401)
    expect(await get('/micro/bad')).toMatchObject([
      { route: '/v1/batch', code: 'malformed' },
      { route: '/v1/track', code: 'unknown_key' },
    ])
  })

  it('is asked for messages by name, type and person', async () => {
    const batch = [track({ event: 'A' }), track({ event: 'B' }), { type: 'identify', userId: 'u' }]
    await post('/v1/batch', { writeKey: 'demo', batch })
    expect(await get('/micro/good?event=A')).toHaveLength(1)
    expect(await get('/micro/good?type=track')).toHaveLength(2)
    expect(await get('/micro/good?userId=u&type=track')).toEqual([])
  })

  it('keeps a batch that is sent twice once, and takes it again after a reset', async () => {
    const body = { writeKey: 'demo', batchId: 'b', batch: [track({ messageId: 'm' })] }
    expect((await post('/v1/batch', body)).body).toEqual((await post('/v1/batch', body)).body)
    expect(await get('/micro/all')).toMatchObject({ good: 1 })
    expect((await post('/micro/reset', {})).body).toMatchObject({ total: 0 })
    await post('/v1/batch', body)
    expect(await get('/micro/good')).toHaveLength(1)
  })

  it('answers slots without a decision, so that the page keeps its own content', async () => {
    const { body } = await post('/v1/slots?writeKey=demo', {
      anonymousId: 'v',
      slots: [{ id: 'hero' }],
      batch: [track()],
    })
    expect(body).toMatchObject({ decisions: [{ slotId: 'hero', outcome: 'unavailable', items: [] }] })
    expect(await get('/micro/good')).toHaveLength(1)
  })

  it('answers slots as a file or a test says, and clicks are about the content’s category', async () => {
    const path = new URL('../../examples/micro/slots.json', import.meta.url).pathname
    const shop = createMicro({ ...deps, slots: await readSlots(path) })
    const at = `http://127.0.0.1:${await shop.listen(0, '127.0.0.1')}`
    const put = async (body: unknown) => {
      const response = await fetch(`${at}/micro/slots`, { method: 'PUT', body: JSON.stringify(body) })
      return { status: response.status, body: await response.json() }
    }
    const ask = async (...slots: { id: string; count?: number }[]) =>
      (await post('/v1/slots?writeKey=demo', { anonymousId: 'v', slots }, at)).body.decisions
    const hero = { slotId: 'hero', outcome: 'served', items: [{ contentId: 'green', position: 1 }] }
    expect(await ask({ id: 'hero' }, { id: 'nowhere' })).toMatchObject([
      hero,
      { slotId: 'nowhere', outcome: 'unavailable', items: [] },
    ])

    const teas = ['a', 'b', 'c'].map(title => ({ payload: { title } }))
    expect(await put({ list: teas, hero: 'holdout', none: [] })).toEqual({
      status: 200,
      body: { slots: ['list', 'hero', 'none'] },
    })
    const [list, few, held, none] = await ask({ id: 'list' }, { id: 'list', count: 2 }, { id: 'hero' }, { id: 'none' })
    expect(list.items).toEqual(teas.map(({ payload }, n) => ({ contentId: `list-${n + 1}`, position: n + 1, payload })))
    expect(few.items).toHaveLength(2)
    expect([held.outcome, none.outcome]).toEqual(['holdout', 'empty'])

    await get('/micro/reset', at)
    expect(await ask({ id: 'hero' })).toMatchObject([hero])
    const click = track({ event: 'Slot Clicked', properties: { slotId: 'hero', contentId: 'green' } })
    await post('/v1/track?writeKey=demo', click, at)
    expect(await get('/micro/good', at)).toMatchObject([{ context: { content: { category: 'green tea' } } }])
    await shop.stop()
  })

  it.each([
    [[], 'the answers must be an object of slots'],
    [{ hero: 'served' }, 'hero must be a list of content, or one of holdout'],
    [{ hero: [{}] }, 'hero[0] has no payload'],
    [{ hero: [7] }, 'hero[0] must be an object'],
    [{ hero: [{ payload: {}, contentID: 'x' }] }, 'hero[0] has "contentID": there are contentId, category, payload'],
    [{ hero: [{ payload: {}, contentId: 7 }] }, 'hero[0] has a contentId that is no text'],
  ])('refuses %j as answers', async (answers, reason) => {
    const response = await fetch(`${url}/micro/slots`, { method: 'PUT', body: JSON.stringify(answers) })
    expect(response.status).toBe(400)
    expect((await response.json()).error.message).toContain(reason)
    await expect(readSlots('/nowhere.json')).rejects.toThrow('MICRO_SLOTS is "/nowhere.json": ENOENT')
  })

  it('serves the SDK, health and metrics, and has no admin', async () => {
    const paths = ['/sdk.js', '/healthz', '/readyz', '/metrics', '/v1/projects/demo/settings', '/v1/admin/sites']
    const statuses = await Promise.all(paths.map(async path => (await fetch(`${url}${path}`)).status))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404])
  })
})

describe('the memory of the small collector', () => {
  it('is bound in messages, and says how many it forgot', async () => {
    const small = createMicro({ ...deps, maxMessages: 3, writeKeys: ['demo'] })
    const at = `http://127.0.0.1:${await small.listen(0, '127.0.0.1')}`
    for (let n = 0; n < 5; n++) await post('/v1/track', { ...track({ event: `E${n}` }), writeKey: 'demo' }, at)
    expect(await get('/micro/all', at)).toEqual({ total: 3, good: 3, bad: 0, forgotten: 2 })
    expect((await get('/micro/good', at)).map(({ event }: { event: string }) => event)).toEqual(['E2', 'E3', 'E4'])
    expect((await post('/v1/track', { ...track(), writeKey: 'other' }, at)).status).toBe(401)
    await small.stop()
  })

  it('is bound in bytes', async () => {
    const small = createMicro({ ...deps, maxBytes: 50_000 })
    const at = `http://127.0.0.1:${await small.listen(0, '127.0.0.1')}`
    const properties = { text: 'x'.repeat(20_000) }
    for (let n = 0; n < 5; n++) await post('/v1/track', { ...track({ properties }), writeKey: 'demo' }, at)
    expect(await get('/micro/all', at)).toEqual({ total: 2, good: 2, bad: 0, forgotten: 3 })
    await small.stop()
  })
})

describe('the small collector and the real one', () => {
  it('say the same of the same messages, and keep the same', async () => {
    const broker = await startBroker()
    const real = await broker.collector()
    await putSite(real, 'shop')
    const timestamp = '2024-01-31T12:00:00.000Z'
    const batch = [
      track({ messageId: 'm-1', timestamp, properties: { price: 1.5, gift: true, note: null } }),
      track({ messageId: 'm-2', timestamp: 'yesterday' }),
      track({
        messageId: 'm-3',
        timestamp,
        context: { page: { url: 'https://shop.example/?token=x' }, ip: '203.0.113.7' },
      }),
      { type: 'identify', messageId: 'm-4', timestamp, userId: 'u', traits: { deep: { deeper: [1, 'two'] } } },
      { type: 'nonsense', messageId: 'm-5' },
      track({ messageId: 'undefined', timestamp }),
      'no object',
    ]
    const body = { writeKey: 'shop', batch, sentAt: timestamp }
    const [small, large] = [await post('/v1/batch', body), await post('/v1/batch', body, real)]
    expect(small).toEqual(large)
    const undated = ({ timestamp: _time, ...rest }: Record<string, unknown>) => rest
    const good = (await readAll<EventEnvelope>(broker.nats)).flatMap(({ messages }) => messages)
    const bad = (await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')).flatMap(({ rejected }) => rejected)
    expect((await get('/micro/good')).map(undated)).toEqual(
      good.map(message => ({ ...undated({ ...message }), ...whereabouts(message) })),
    )
    expect(await get('/micro/bad')).toEqual(bad.map(message => expect.objectContaining(message)))
    await broker.stop()
  })
})

const whereabouts = ({ anonymousId, userId }: { anonymousId?: string; userId?: string }) => ({
  siteId: 'shop',
  visitorId: anonymousId ?? `user:${userId}`,
  receivedAt: expect.any(String),
})
