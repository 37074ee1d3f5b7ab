import { applyEnvelope } from '@slotstream/core'
import type { DecideRequest, DecisionEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import {
  admin,
  DECIDE_TIMEOUT_MS,
  eventsOf,
  nats,
  newId,
  post,
  streamOf,
  track,
  url,
  withCollector,
} from '../support/collector-api.js'
import { until } from '../support/until.js'

withCollector()

describe('slots', () => {
  const ask = (visitor: string, rest: object = {}) =>
    post('/v1/slots', { writeKey: 'shop', anonymousId: visitor, slots: [{ id: 'hero' }], ...rest })

  async function withDecider<T>(decide: (request: DecideRequest) => object | undefined, use: () => Promise<T>) {
    const subscription = nats.connection.subscribe('decide.*', {
      callback(_error, message) {
        const reply = decide(message.json<DecideRequest>())
        if (reply) message.respond(JSON.stringify(reply))
      },
    })
    await nats.connection.flush()
    try {
      return await use()
    } finally {
      subscription.unsubscribe()
      await nats.connection.flush()
    }
  }

  const decision = { slotId: 'hero', decisionId: 'd', outcome: 'served', items: [] }

  it('are decided by the owner of the partition, after what the page did counts', async () => {
    const visitor = newId('v')
    const seen: DecideRequest[] = []
    const batches = [
      { batchId: newId('b'), batch: [track(visitor), track(visitor)], sentAt: new Date().toISOString() },
      { batch: 'broken' },
      { batchId: newId('b'), batch: [null] },
    ]
    const { status, body } = await withDecider(
      request => {
        seen.push(request)
        return { decisions: [decision] }
      },
      () =>
        ask(visitor, {
          batches,
          batch: [track(visitor)],
          after: 1,
          context: { sessionId: 's' },
          explain: true,
        }),
    )
    expect(status).toBe(200)
    expect(body.decisions).toEqual([decision])
    expect(body.batches).toMatchObject([
      { success: true, accepted: 2 },
      { success: false, error: { code: 'malformed' } },
      { success: true, accepted: 0, rejected: [{ code: 'not_an_object' }] },
    ])
    const stored = await eventsOf(visitor)
    expect(stored.map(({ messages }) => messages.length)).toEqual([2, 1])
    expect(body.position).toBe(stored[1]?.seq)
    expect(seen).toMatchObject([
      {
        siteId: 'shop',
        visitorId: visitor,
        anonymousId: visitor,
        slots: [{ id: 'hero' }],
        context: { sessionId: 's' },
        after: body.position,
        explain: true,
      },
    ])
    expect(seen[0]?.deadlineMs).toBeLessThan(DECIDE_TIMEOUT_MS)
  })

  it('are decided for ids that are numbers', async () => {
    const seen: DecideRequest[] = []
    const big = '175928847299117063'
    const body = `{"writeKey":"shop","userId":${big},"slots":[{"id":"hero"}],"context":{"sessionId":1717243200,"n":${big}}}`
    const { status } = await withDecider(
      request => {
        seen.push(request)
        return { decisions: [decision] }
      },
      () => post('/v1/slots', body),
    )
    expect(status).toBe(200)
    expect(seen).toMatchObject([
      { visitorId: `user:${big}`, userId: big, context: { sessionId: '1717243200', n: big } },
    ])
  })

  it('store a sealed batch as /v1/batch would: sent both ways, it is there once', async () => {
    const visitor = newId('v')
    const sealed = { batchId: newId('b'), batch: [track(visitor)] }
    const { body } = await withDecider(
      () => ({ decisions: [decision] }),
      () => ask(visitor, { batches: [sealed] }),
    )
    const again = await post('/v1/batch', { ...sealed, writeKey: 'shop' })
    expect(again.body.position).toBe(body.position)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })

  it('wait for a position that an earlier answer gave', async () => {
    let after = -1
    await withDecider(
      request => {
        after = request.after
        return { decisions: [decision] }
      },
      () => ask(newId('v'), { after: 4711 }),
    )
    expect(after).toBe(4711)
  })

  it('do not explain themselves to sites that are not in debug', async () => {
    let explain: boolean | undefined
    await withDecider(
      request => {
        explain = request.explain
        return { decisions: [decision] }
      },
      () => ask(newId('v'), { writeKey: 'strict', explain: true }),
    )
    expect(explain).toBe(false)
  })

  it.each([
    ['unavailable', 'nobody owns the partition', undefined],
    ['timeout', 'the owner does not answer', () => undefined],
    ['unavailable', 'the owner answers nonsense', () => ({ nonsense: true })],
  ])('are %s when %s, and that is recorded', async (outcome, _why, decide) => {
    const visitor = newId('v')
    const asking = () =>
      ask(visitor, {
        slots: [{ id: 'hero' }, { id: 'list', count: 3 }],
        context: { sessionId: 's', pageViewId: 'p' },
        batch: [track(visitor)],
      })
    const { status, body } = await (decide ? withDecider(decide, asking) : asking())
    expect(status).toBe(200)
    expect(body.decisions).toMatchObject([
      { slotId: 'hero', outcome, items: [] },
      { slotId: 'list', outcome, items: [] },
    ])
    expect(await eventsOf(visitor)).toHaveLength(1)
    const [recorded] = await until(
      'the record',
      async () => (await streamOf<DecisionEnvelope>('DECISIONS')).filter(({ visitorId }) => visitorId === visitor),
      found => found.length === 1,
    )
    expect(recorded?.decisions.map(({ decisionId }) => decisionId)).toEqual(
      body.decisions.map(({ decisionId }) => decisionId),
    )
    expect(recorded?.decisions[0]).toMatchObject({
      slotId: 'hero',
      anonymousId: visitor,
      sessionId: 's',
      pageViewId: 'p',
      policy: 'none',
      policyVersion: '0',
      outcome,
      contentIds: [],
      propensities: [],
    })
  })
})

describe('a click on content', () => {
  const click = (visitor: string, contentId: string, context = {}) =>
    post('/v1/batch', {
      writeKey: 'shop',
      batch: [
        track(visitor),
        track(visitor, { event: 'Slot Clicked', properties: { slotId: 'hero', contentId }, context }),
        track(visitor, { event: 'Slot Viewed', properties: { slotId: 'hero', contentId } }),
      ],
    })
  const contexts = async (visitor: string) =>
    (await eventsOf(visitor)).flatMap(({ messages }) => messages.map(({ context }) => context?.content))

  it('is stored with the category that the content has then, and moves the interests of a rebuild, too', async () => {
    const content = { slots: [], payload: { title: 'Tents' } }
    await admin('PUT', '/sites/shop/content/tents', { id: 'tents', category: 'camp', ...content })
    const visitor = newId('v')
    await until(
      'the collector knows the content',
      async () => {
        await click(visitor, 'tents')
        return (await contexts(visitor)).slice(-3)
      },
      found => found[1] !== undefined,
    )
    await admin('PUT', '/sites/shop/content/tents', { id: 'tents', category: 'trail', ...content })
    const later = newId('v')
    await until(
      'the new category',
      async () => {
        await click(later, 'tents')
        return (await contexts(later)).at(-2)?.category
      },
      category => category === 'trail',
    )
    await admin('DELETE', '/sites/shop/content/tents')
    const [envelope] = (await eventsOf(visitor)).slice(-1)
    expect(envelope?.messages.map(({ context }) => context?.content)).toEqual([
      undefined,
      { category: 'camp' },
      undefined,
    ])
    expect(applyEnvelope(undefined, envelope!, 1)?.affinities).toEqual({ camp: 1 })
  })

  it('on what is in no catalog, or in that of another site, has none', async () => {
    await admin('PUT', '/sites/strict/content/theirs', { id: 'theirs', category: 'x', slots: [], payload: {} })
    const visitor = newId('v')
    for (const id of ['nothing', 'theirs', '', 'constructor']) await click(visitor, id)
    expect((await contexts(visitor)).filter(Boolean)).toEqual([])
  })
})

// Its metrics have the slots of the tests above.
describe('what else is served', () => {
  it('the SDK, compressed, with an ETag', async () => {
    const response = await fetch(`${url}/sdk.js`, { headers: { 'Accept-Encoding': 'identity' } })
    expect(response.headers.get('content-type')).toContain('javascript')
    expect(response.headers.get('cache-control')).toContain('max-age')
    expect(await response.text()).toContain('window.slotstream')
    const etag = response.headers.get('etag')!
    const revalidate = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
    expect((await fetch(`${url}/sdk.js`, { headers: revalidate })).status).toBe(304)
    const packed = await fetch(`${url}/sdk.js`, { headers: { 'Accept-Encoding': 'gzip, br' } })
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(await packed.text()).toContain('window.slotstream')
    expect(Number(packed.headers.get('content-length'))).toBeLessThan(500)
  })

  it('the parts that the SDK loads, and nothing else of their folder', async () => {
    const part = await fetch(`${url}/sdk/some-part.js?v=1`)
    expect([part.status, await part.text()]).toEqual([200, 'export {}'])
    expect(part.headers.get('access-control-allow-origin')).toBe('*')
    for (const path of ['other.js', 'some-part.js.map', '..%2Fsdk.js', 'Some-Part.js'])
      expect((await fetch(`${url}/sdk/${path}`)).status).toBe(404)
  })

  it('the demo', async () => {
    expect(await (await fetch(`${url}/demo/`)).text()).toContain('demo')
    const response = await fetch(`${url}/demo`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([301, '/demo/'])
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe('/demo/')
  })

  it("the settings that Segment's browser library asks for", async () => {
    const response = await fetch(`${url}/v1/projects/shop/settings`)
    expect(await response.json()).toEqual({
      integrations: { 'Segment.io': { apiKey: 'shop', apiHost: `${new URL(url).host}/v1`, protocol: 'http' } },
    })
    expect((await fetch(`${url}/v1/projects/nobody/settings`)).status).toBe(401)
  })

  it('metrics', async () => {
    const tooLarge = track(newId('v'), { properties: { text: 'x'.repeat(33 * 1024) } })
    await post('/v1/batch', { writeKey: 'shop', batch: [track(newId('v')), tooLarge] })
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toMatch(/slotstream_http_requests_total\{route="\/v1\/batch",status="200"\} \d+/)
    expect(text).toMatch(/slotstream_http_requests_total\{route="\/v1\/admin\/sites\/:siteId",status="200"\} \d+/)
    expect(text).toMatch(/slotstream_messages_accepted_total \d+/)
    expect(text).toMatch(/slotstream_messages_rejected_total\{code="too_large"\} 1/)
    expect(text).toMatch(/slotstream_slot_decisions_total\{outcome="timeout"\} \d+/)
    expect(text).toMatch(/slotstream_publish_seconds_count \d+/)
  })
})
