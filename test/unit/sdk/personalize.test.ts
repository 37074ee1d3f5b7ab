import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '../../../sdk/delivery/memory-tables.js'
import type { Reply } from '../../../sdk/delivery/outcome.js'
import type { Transact } from '../../../sdk/delivery/tables.js'
import { createPersonalize } from '../../../sdk/slots/personalize.js'
import { accept, memoryStorage, page, pass } from './harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

interface Asked {
  anonymousId: string
  slots: { id: string; count?: number }[]
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
  const personalize = createPersonalize({
    ...it,
    settings: { slotTimeout: 300, debug: false },
    transport: {
      post: async (_path, text) => {
        const body = JSON.parse(text) as Asked
        asked.push(body)
        return slots.answer(body)
      },
    },
    emit: (name, detail) => name === 'decision' && decisions(detail),
    log: () => {},
    now: Date.now,
    visitor: () => ({ anonymousId: 'v', userId: undefined, context: { sessionId: 's' } }),
  })
  const carried = (index: number) => asked[index]?.batches.flatMap(({ batch }) => batch.map(it => it.properties.n))
  return { ...it, asked, slots, personalize, decisions, carried }
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
    await personalize('hero')
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

function slotsReply(body: Asked): Reply {
  const decisions = body.slots.map(({ id }) => ({ slotId: id, decisionId: 'late', outcome: 'served', items: [] }))
  return { status: 200, retryAfter: null, text: JSON.stringify({ decisions }) }
}
