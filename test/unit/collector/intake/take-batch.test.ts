import { MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, markIntegers, openEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createBatchText, envelopeBytes, type OutgoingEnvelope } from '#collector/intake/publish/outgoing-envelope.js'
import { type BatchScope, batchOfOne, takeBatchInSlices, takeBatch as takeTexts } from '#collector/intake/take-batch.js'

const arrival: BatchScope = {
  siteId: 'shop',
  received: Date.parse('2026-06-01T12:00:00.000Z'),
  bytes: 1_000,
  newId: () => 'made',
}
const track = (messageId: string, anonymousId = 'a', rest: object = {}) => ({
  type: 'track',
  event: 'E',
  messageId,
  anonymousId,
  ...rest,
})
const read = (envelope: OutgoingEnvelope) => JSON.parse(Buffer.from(envelopeBytes(envelope)).toString())
/** With the envelopes as their readers see them. */
function takeBatch(body: unknown, given: BatchScope) {
  const { envelopes, ...rest } = takeTexts(body, given)
  return { ...rest, envelopes: envelopes.map(envelope => openEnvelope(read(envelope))) }
}
const idsOf = (envelope: { messages: { messageId: string }[] }) => envelope.messages.map(({ messageId }) => messageId)

describe('takeBatch', () => {
  it('makes one envelope for each visitor, each in order', () => {
    const batch = [track('1', 'a'), track('2', 'b'), track('3', 'a'), { type: 'page', messageId: '4', userId: 'a' }]
    const { accepted, envelopes, rejected } = takeBatch({ batch }, arrival)
    expect(accepted).toBe(4)
    expect(envelopes.map(envelope => [envelope.visitorId, idsOf(envelope)])).toEqual([
      ['a', ['1', '3']],
      ['b', ['2']],
      ['user:a', ['4']],
    ])
    expect(envelopes[0]).toMatchObject({ siteId: 'shop', receivedAt: '2026-06-01T12:00:00.000Z' })
    expect(rejected).toBeUndefined()
  })

  it('keeps the good messages of a batch with bad ones, and says which were bad', () => {
    const { accepted, envelopes, rejections, rejected } = takeBatch(
      { batch: [track('1'), { type: 'track', messageId: '2', anonymousId: 'a' }, null, track('4')] },
      arrival,
    )
    expect(accepted).toBe(2)
    expect(envelopes.map(idsOf)).toEqual([['1', '4']])
    expect(rejections).toMatchObject([
      { messageId: '2', index: 1, code: 'missing_field' },
      { messageId: null, index: 2, code: 'not_an_object' },
    ])
    expect(rejected?.rejected.map(({ payload }) => payload)).toEqual([
      '{"type":"track","messageId":"2","anonymousId":"a"}',
      'null',
    ])
  })

  it.each(['event', 'name', 'sentAt'])('rejects a message whose %s is a whole number, however long', field => {
    const text = `{"batch":[{"type":"track","event":"E","anonymousId":"a","${field}":12345678901234567890}]}`
    const { accepted, rejections, rejected } = takeBatch(JSON.parse(markIntegers(text)!), {
      ...arrival,
      isMarked: true,
    })
    expect(accepted).toBe(0)
    expect(rejections[0]?.reason).toMatch(/must be .*text, not 12345678901234567890/)
    expect(rejected?.rejected[0]?.payload).toContain('12345678901234567890')
  })

  it('shows a plan numbers where they are marked, and keeps their digits in what is stored and rejected', () => {
    const text =
      '{"batch":[{"type":"track","event":"E","userId":175928847299117063,"properties":{"n":175928847299117064}}]}'
    const take = (mode: 'warn' | 'enforce') => {
      const seen: unknown[] = []
      const check = (message: { properties?: object }) => {
        seen.push(message.properties)
        return { code: 'schema_violation', reason: 'none fits', path: '$', schemaVersion: '' } as const
      }
      const plan = { mode, check, explain: (_: object, violation: object) => violation } as unknown as NonNullable<
        BatchScope['plan']
      >
      const taken = takeTexts(JSON.parse(markIntegers(text)!), { ...arrival, isMarked: true, plan })
      expect(seen).toEqual([{ n: Number('175928847299117064') }])
      return taken
    }
    const [envelope] = take('warn').envelopes
    expect(envelope?.visitorId).toBe('user:175928847299117063')
    for (const written of [
      Buffer.from(envelopeBytes(envelope!)).toString(),
      take('enforce').rejected?.rejected[0]?.payload,
    ]) {
      expect(written).toContain('"userId":"175928847299117063"')
      expect(written).toContain('"n":175928847299117064}')
    }
  })

  it('keeps the first of two messages with one id, per visitor', () => {
    const batch = [track('1', 'a', { event: 'first' }), track('1', 'a', { event: 'second' }), track('1', 'b')]
    const { accepted, envelopes } = takeBatch({ batch }, arrival)
    expect(accepted).toBe(3)
    expect(envelopes.map(({ messages }) => messages.map(({ event }) => event))).toEqual([['first'], ['E']])
  })

  it('rejects a message that is too large, alone', () => {
    const big = track('big', 'a', { properties: { text: 'ä'.repeat(MAX_MESSAGE_BYTES / 2) } })
    const { accepted, rejections, rejected } = takeBatch(
      { batch: [track('1'), big] },
      { ...arrival, bytes: 2 * MAX_MESSAGE_BYTES },
    )
    expect(accepted).toBe(1)
    expect(rejections).toMatchObject([{ messageId: 'big', index: 1, code: 'too_large' }])
    const payload = rejected?.rejected[0]?.payload ?? ''
    expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
    expect(payload).not.toContain('\ufffd')
  })

  it('survives nesting that no stack holds, also where nobody looks', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    const batch = [track('1', 'a', { properties: { deep } }), track('2', 'a', { integrations: deep })]
    const { rejections, envelopes } = takeBatch({ batch }, { ...arrival, bytes: 400_000 })
    expect(rejections).toMatchObject([{ messageId: '1', code: 'too_deep' }])
    expect(envelopes.map(idsOf)).toEqual([['2']])
  })

  it('corrects times by when the batch was sent', () => {
    const batch = [track('1', 'a', { timestamp: '2026-06-01T09:00:00Z' })]
    const { envelopes } = takeBatch({ batch, sentAt: '2026-06-01T09:00:10Z' }, arrival)
    expect(envelopes[0]?.messages[0]?.timestamp).toBe('2026-06-01T11:59:50.000Z')
  })

  it('adds the user agent where there is none, cut to a sane length', () => {
    const batch = [track('1'), track('2', 'a', { context: { userAgent: 'own', locale: 'de' } })]
    const { envelopes } = takeBatch({ batch }, { ...arrival, userAgent: 'x'.repeat(10_000) })
    expect(envelopes[0]?.messages[0]?.context).toEqual({ userAgent: 'x'.repeat(512) })
    expect(envelopes[0]?.messages[1]?.context).toEqual({ userAgent: 'own', locale: 'de' })
  })

  it('puts the ledger on the last message', () => {
    const ledger = { captured: 3, sent: 2, acknowledged: 1, dropped: { quota: 1 } }
    const { envelopes } = takeBatch({ batch: [track('1'), track('2'), null], ledger }, arrival)
    expect(envelopes[0]?.messages.map(({ context }) => context?.ledger)).toEqual([undefined, ledger])
  })

  it.each([
    [5, undefined],
    [{ captured: 'many', sent: 1, acknowledged: 1 }, undefined],
    [
      { captured: 1, sent: 1, acknowledged: 1, dropped: { ok: 1, bad: 'x', ['y'.repeat(100)]: 1 }, more: {} },
      { captured: 1, sent: 1, acknowledged: 1, dropped: { ok: 1 } },
    ],
  ])('takes no more than numbers from a ledger: %j', (ledger, expected) => {
    const { envelopes } = takeBatch({ batch: [track('1')], ledger }, arrival)
    expect(envelopes[0]?.messages[0]?.context?.ledger).toEqual(expected)
  })

  it('shares the context of the batch, before which goes what a message says itself', () => {
    const batch = [track('1'), track('2', 'a', { context: { locale: 'de', page: { path: '/' } } }), null]
    const { envelopes } = takeBatch({ batch, context: { locale: 'en', app: { name: 'Shop' } } }, arrival)
    expect(envelopes[0]?.messages.map(({ context }) => context)).toEqual([
      { locale: 'en', app: { name: 'Shop' } },
      { locale: 'de', app: { name: 'Shop' }, page: { path: '/' } },
    ])
  })

  it('refuses a shared context that makes much of little', () => {
    const batch = new Array(MAX_BATCH_MESSAGES).fill(null)
    expect(() => takeBatch({ batch, context: { text: 'x'.repeat(1_000) } }, arrival)).toThrow(
      expect.objectContaining({ code: 'too_large' }),
    )
  })

  it.each([undefined, null, ''])('makes an id for a message whose id is %j', messageId => {
    const { envelopes } = takeBatch({ batch: [{ ...track('1'), messageId }] }, arrival)
    expect(envelopes.map(idsOf)).toEqual([['made']])
  })

  describe('of which the text is known', () => {
    const goesOnAs = (body: object) => {
      const json = JSON.stringify(body)
      const { envelopes } = takeTexts(JSON.parse(json), {
        ...arrival,
        text: createBatchText({ text: json, utf8: Buffer.from(json) }),
      })
      return envelopes.map(read)
    }
    const messages = [track('1'), track('2', 'a', { properties: { price: 1 } })]

    it("goes on as a whole if it is one visitor's and nothing has to be changed", () => {
      const body = { batchId: 'b', sentAt: '2026-06-01T11:59:59.000Z', batch: messages }
      expect(goesOnAs(body)).toEqual([
        { siteId: 'shop', visitorId: 'a', receivedAt: '2026-06-01T12:00:00.000Z', sentAt: body.sentAt, body },
      ])
    })

    it.each([
      ['has a write key in it', { writeKey: 'secret', batch: messages }, [messages]],
      ['has several visitors', { batch: [...messages, track('3', 'b')] }, [messages, [track('3', 'b')]]],
      ['has a message that is rejected', { batch: [...messages, { type: 'x' }] }, [messages]],
      ['has a message twice', { batch: [...messages, messages[0]] }, [messages]],
      [
        'has a context for all',
        { batch: messages, context: { locale: 'de' } },
        [messages.map(message => ({ ...message, context: { locale: 'de' } }))],
      ],
    ])('goes on message by message if it %s', (_what, body, sent) => {
      const envelopes = goesOnAs(body)
      expect(envelopes.map(envelope => envelope.sent)).toEqual(sent)
      expect(JSON.stringify(envelopes)).not.toContain('secret')
    })
  })

  it('accepts an empty batch', () => {
    expect(takeBatch({ batch: [] }, arrival)).toEqual({ accepted: 0, rejections: [], violations: [], envelopes: [] })
  })

  it.each([[null], [[]], ['text'], [{}], [{ batch: {} }], [{ batch: 'text' }]])('refuses %j as a whole', body => {
    expect(() => takeBatch(body, arrival)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  it('refuses more messages than one request may cause work for', () => {
    const batch = new Array(MAX_BATCH_MESSAGES + 1).fill(null)
    expect(() => takeBatch({ batch }, arrival)).toThrow(expect.objectContaining({ code: 'too_large' }))
  })
})

describe('batchOfOne', () => {
  it('takes the type from the route and leaves the write key out', () => {
    expect(batchOfOne({ type: 'page', event: 'E', writeKey: 'secret' }, 'track')).toEqual({
      batch: [{ type: 'track', event: 'E' }],
    })
  })

  it('refuses what is no message', () => {
    expect(() => batchOfOne([], 'track')).toThrow(expect.objectContaining({ code: 'malformed' }))
  })
})

describe('takeBatchInSlices', () => {
  it('takes what takeBatch takes, and waits wherever it is told to', async () => {
    const batch = () => [
      track('1', 'a'),
      null,
      track('2', 'b'),
      track('1', 'a'),
      { type: 'track', anonymousId: 'a' },
      track('3', 'a', { messageId: 7 }),
    ]
    let asked = 0
    let waited = 0
    const slice = () =>
      ++asked % 2 ? undefined : new Promise<void>(resolve => setImmediate(() => resolve(void waited++)))
    const sliced = await takeBatchInSlices({ batch: batch() }, arrival, slice)
    expect(sliced).toEqual(takeTexts({ batch: batch() }, arrival))
    expect({ asked, waited }).toEqual({ asked: 6, waited: 3 })
  })

  it('rejects what is no batch', async () => {
    await expect(takeBatchInSlices({ batch: 1 }, arrival, () => undefined)).rejects.toThrow(/batch is missing/)
  })
})
