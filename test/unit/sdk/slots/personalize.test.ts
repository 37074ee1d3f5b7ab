import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import type { Transact } from '#sdk/delivery/database/tables.js'
import type { Reply } from '#sdk/delivery/send/outcome.js'
import { handedOver } from '#sdk/slots/handed-over.js'
import { createPersonalize } from '#sdk/slots/personalize.js'
import { accept, memoryStorage, page, pass } from '../harness.js'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  vi.stubGlobal('window', {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

interface Asked {
  anonymousId: string
  slots: { id: string; count?: number }[]
  context?: Record<string, unknown>
  after?: number
  explain?: boolean
  batches: { batchId: string; batch: { properties: { n: number } }[] }[]
}

function setUp(before?: Parameters<typeof page>[0]) {
  const it = page(before)
  const asked: Asked[] = []
  const slots = {
    answer: (body: Asked): Reply | Promise<Reply> => ({
      status: 200,
      retryAfter: null,
      text: JSON.stringify({
        decisions: body.slots.map(({ id }) => ({ slotId: id, decisionId: `d-${id}`, outcome: 'served', items: [] })),
        batches: body.batches.map(({ batch }) => ({ success: true, accepted: batch.length, rejected: [] })),
        position: 77,
      }),
    }),
  }
  const decisions = vi.fn()
  const track = vi.fn()
  const visitor = { anonymousId: 'v', pageViewId: 'p' }
  const captured: ((event: Event) => void)[] = []
  const personalize = createPersonalize({
    handedOver,
    ...it,
    settings: { slotTimeout: 300, debug: false, maxBatchBytes: 60_000 },
    async post(text) {
      const body = JSON.parse(text) as Asked
      asked.push(body)
      const reply = await slots.answer(body)
      if (!reply) throw new TypeError('Failed to fetch')
      return new Response(reply.text, { status: reply.status })
    },
    emit: (name, detail) => name === 'decision' && decisions(detail),
    log: () => {},
    now: Date.now,
    track,
    listeners: { on: (_target, _type, listener) => void captured.push(listener) },
    visitor: () => ({
      anonymousId: visitor.anonymousId,
      userId: undefined,
      context: { sessionId: 's', pageViewId: visitor.pageViewId },
    }),
  })
  /** As `track` says it to the page. */
  const tell = (event: string) => captured[0]?.({ detail: { type: 'track', event } } as unknown as Event)
  const carried = (index: number) => asked[index]?.batches.flatMap(({ batch }) => batch.map(it => it.properties.n))
  return { ...it, asked, slots, personalize, decisions, carried, track, tell, visitor }
}

describe('personalize', () => {
  it('asks for all slots of one task in one request', async () => {
    const { personalize, asked, decisions } = setUp()
    const answers = await Promise.all([personalize('hero'), personalize('list', { count: 3 })])
    expect(asked.map(({ slots }) => slots)).toEqual([[{ id: 'hero' }, { id: 'list', count: 3 }]])
    expect(answers.map(({ slotId, outcome }) => [slotId, outcome])).toEqual([
      ['hero', 'served'],
      ['list', 'served'],
    ])
    expect(decisions).toHaveBeenCalledTimes(2)
  })

  it('carries what was tracked before it, also what is on its way', async () => {
    const { personalize, capture, collector, carried, sender } = setUp()
    collector.answer = () => new Promise(() => {})
    capture()
    void sender.flush()
    await pass(0)
    capture()
    await personalize('hero')
    expect(carried(0)).toEqual([0, 1])
  })

  it('takes the messages it carried for delivered when the answer says so', async () => {
    const { personalize, capture, sent, store, asked } = setUp()
    capture()
    await personalize('hero')
    await pass(10_000)
    expect(sent).toEqual([])
    expect(store.known()).toMatchObject({ waiting: 0, ledger: { acknowledged: 1 } })
    await personalize('list')
    expect(asked[1]).toMatchObject({ batches: [], after: 77 })
  })

  it('leaves to the sender, under the same id, what the answer does not acknowledge', async () => {
    const { personalize, capture, sent, slots, asked } = setUp()
    slots.answer = body => ({
      status: 200,
      retryAfter: null,
      text: JSON.stringify({
        decisions: [{ slotId: 'hero', decisionId: 'd', outcome: 'served', items: [] }],
        batches: body.batches.map(() => ({ success: false, error: { code: 'unavailable', message: 'later' } })),
      }),
    })
    capture()
    expect((await personalize('hero')).outcome).toBe('served')
    await pass(10_000)
    expect(sent.map(({ body }) => body.batchId)).toEqual([asked[0]?.batches[0]?.batchId])
  })

  it('carries what is in memory when the store is slow, and the store hears of it', async () => {
    const transact = createMemoryTables()
    const slow: Transact = async body => {
      await new Promise(resolve => setTimeout(resolve, 400))
      return transact(body)
    }
    const { personalize, capture, carried, sent } = setUp({ transact: slow, storage: memoryStorage() })
    capture(1)
    capture(2)
    const decision = personalize('hero')
    await pass(60)
    expect((await decision).outcome).toBe('served')
    expect(carried(0)).toEqual([1, 2])
    await pass(20_000)
    expect(sent).toEqual([])
  })

  it('sends a long backlog first', async () => {
    const { personalize, capture, carried, sent, collector } = setUp()
    for (let i = 0; i < 150; i++) capture(i, 'v', 'x'.repeat(1_000))
    collector.answer = () => accept(1, { position: 9 })
    const decision = await personalize('hero')
    expect(decision.outcome).toBe('served')
    expect(sent.flatMap(({ body }) => body.batch)).toHaveLength(150)
    expect(carried(0)).toEqual([])
  })

  it('resolves with a time-out at the deadline and ignores what comes later', async () => {
    const { personalize, slots, decisions } = setUp()
    slots.answer = body => new Promise(resolve => setTimeout(() => resolve(slotsReply(body)), 400))
    const decision = personalize('hero')
    await pass(300)
    expect(await decision).toEqual({ slotId: 'hero', decisionId: '', outcome: 'timeout', items: [] })
    await pass(1_000)
    expect(decisions).toHaveBeenCalledTimes(1)
  })

  it('takes a deadline of its own', async () => {
    const { personalize, slots } = setUp()
    slots.answer = () => new Promise(() => {})
    const decision = personalize('hero', { timeout: 50 })
    await pass(50)
    expect((await decision).outcome).toBe('timeout')
  })

  it.each<[string, Reply]>([
    ['no answer', undefined],
    ['503', { status: 503, retryAfter: '1', text: '{"error":{"code":"unavailable","message":""}}' }],
    ['garbage', { status: 200, retryAfter: null, text: '<html>' }],
    ['an answer to something else', { status: 200, retryAfter: null, text: '{"decisions":[{"slotId":"other"}]}' }],
    ['null', { status: 200, retryAfter: null, text: 'null' }],
  ])('resolves with unavailable after %s', async (_name, reply) => {
    const { personalize, slots } = setUp()
    slots.answer = () => reply
    expect(await personalize('hero')).toEqual({ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] })
  })
})

describe('an answer', () => {
  it('is kept for the page view, whoever asks and when', async () => {
    const { personalize, asked, slots } = setUp()
    let calls = 0
    slots.answer = body => slotsReply(body, `d${++calls}`)
    const first = await personalize('hero')
    await pass(5_000)
    expect(await personalize('hero')).toEqual(first)
    expect(asked).toHaveLength(1)
    expect((await personalize('hero', { count: 2 })).decisionId).toBe('d2')
  })

  it('is shared while it is on its way, each by its own deadline', async () => {
    const { personalize, asked, slots } = setUp()
    slots.answer = body => new Promise(resolve => setTimeout(() => resolve(slotsReply(body)), 400))
    const early = personalize('hero')
    await pass(200)
    const late = personalize('hero')
    await pass(300)
    expect([(await early).outcome, (await late).outcome]).toEqual(['timeout', 'served'])
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['another event', ({ tell }: Page) => tell('Product Viewed')],
    ['another page view', ({ visitor }: Page) => Object.assign(visitor, { pageViewId: 'p2' })],
    ['another visitor', ({ visitor }: Page) => Object.assign(visitor, { anonymousId: 'v2' })],
  ])('is asked for anew after %s', async (_what, change) => {
    const page = setUp()
    await page.personalize('hero')
    change(page)
    await page.personalize('hero')
    expect(page.asked).toHaveLength(2)
  })

  it('stays good after what the package tracks by itself', async () => {
    const { personalize, asked, tell } = setUp()
    await personalize('hero')
    for (const event of ['Slot Viewed', 'Slot Clicked', 'Page Engaged', 'Page Error', 'Web Vital']) tell(event)
    await personalize('hero')
    expect(asked).toHaveLength(1)
  })

  it('that nobody gave is asked for again', async () => {
    const { personalize, slots } = setUp()
    slots.answer = () => undefined
    expect((await personalize('hero')).outcome).toBe('unavailable')
    slots.answer = body => slotsReply(body)
    expect((await personalize('hero')).outcome).toBe('served')
  })
})

describe('a page that asks', () => {
  it('hears nothing more once it has aborted, and asks nothing when it had before', async () => {
    const { personalize, asked, slots, track } = setUp()
    slots.answer = () => new Promise(() => {})
    const abort = new AbortController()
    const decision = personalize('hero', { signal: abort.signal })
    await pass(10)
    abort.abort()
    expect(await decision).toEqual({ slotId: 'hero', decisionId: '', outcome: 'aborted', items: [] })
    expect((await personalize('list', { signal: abort.signal })).outcome).toBe('aborted')
    await pass(1_000)
    expect(asked).toHaveLength(1)
    expect(track).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gets its fallback in the place of items, unless it is served', async () => {
    const { personalize, slots } = setUp()
    const fallback = [{ title: 'Hello' }]
    expect((await personalize('hero', { fallback })).items).toEqual([])
    slots.answer = () => undefined
    expect((await personalize('list', { fallback })).items).toEqual([
      { contentId: '', position: 1, payload: { title: 'Hello' } },
    ])
  })

  it('sends along what it knows, and one request for those that know the same', async () => {
    const { personalize, asked } = setUp()
    const rain = { weather: 'rain', pageViewId: 'forged' }
    await Promise.all([
      personalize('a', { context: rain }),
      personalize('b'),
      personalize('c', { context: { ...rain } }),
    ])
    expect(asked.map(({ slots, context }) => [slots.map(({ id }) => id), context])).toEqual([
      [['a', 'c'], { weather: 'rain', sessionId: 's', pageViewId: 'p' }],
      [['b'], { sessionId: 's', pageViewId: 'p' }],
    ])
  })

  it('reports what no decision of the server records', async () => {
    const { personalize, slots, track } = setUp()
    slots.answer = () => new Promise(() => {})
    const late = personalize('hero')
    await pass(300)
    expect((await late).outcome).toBe('timeout')
    slots.answer = () => undefined
    await personalize('list')
    expect(track.mock.calls).toEqual([
      ['Slot Fell Back', { slotId: 'hero', outcome: 'timeout', waitedMs: 300 }],
      ['Slot Fell Back', { slotId: 'list', outcome: 'unavailable', waitedMs: 0 }],
    ])
  })

  it('takes a decision that came with the page, once, and keeps it for the view', async () => {
    const { personalize, asked, tell } = setUp()
    const given = { slotId: 'hero', decisionId: 'ssr', outcome: 'served' as const, items: [] }
    handedOver.set('hero', given)
    expect(await personalize('hero')).toEqual(given)
    expect(await personalize('hero')).toEqual(given)
    expect(asked).toEqual([])
    tell('Product Viewed')
    expect((await personalize('hero')).decisionId).toBe('d-hero')
  })

  it('leaves no timer behind', async () => {
    const { personalize } = setUp()
    await personalize('hero', { timeout: 60_000 })
    await pass(1_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})

type Page = ReturnType<typeof setUp>

function slotsReply(body: Asked, decisionId = 'late'): Reply {
  const decisions = body.slots.map(({ id }) => ({ slotId: id, decisionId, outcome: 'served', items: [] }))
  return { status: 200, retryAfter: null, text: JSON.stringify({ decisions }) }
}
