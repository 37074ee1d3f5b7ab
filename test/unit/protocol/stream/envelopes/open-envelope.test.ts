import { type EventEnvelope, openEnvelope, type SentEnvelope } from '@slotstream/protocol'
import { expect, it } from 'vitest'

const envelope = (rest: Partial<SentEnvelope>): SentEnvelope => ({
  siteId: 'shop',
  visitorId: 'a',
  receivedAt: '2026-06-01T12:00:00.000Z',
  sent: [],
  ...rest,
})
const sent = { messageId: 'm', type: 'track', event: 'E', anonymousId: 'a' }

it('finishes messages: times by when the batch was sent, ids as text, nothing that nobody keeps', () => {
  const raw = { ...sent, userId: 7, groupId: null, timestamp: '2026-06-01T09:00:00Z', integrations: { All: false } }
  const opened = openEnvelope(envelope({ sentAt: '2026-06-01T09:00:10.000Z', sent: [raw] }))
  expect(JSON.parse(JSON.stringify(opened))).toEqual({
    siteId: 'shop',
    visitorId: 'a',
    receivedAt: '2026-06-01T12:00:00.000Z',
    messages: [
      {
        ...sent,
        userId: '7',
        timestamp: '2026-06-01T11:59:50.000Z',
        originalTimestamp: '2026-06-01T09:00:00.000Z',
        sentAt: '2026-06-01T09:00:10.000Z',
      },
    ],
  })
})

it('adds to all what is the same, or to each its own, and leaves what the message says itself', () => {
  const both = [sent, { ...sent, context: { ip: 'own', locale: 'de' } }]
  const contexts = (context: SentEnvelope['context']) =>
    openEnvelope(envelope({ sent: both, ...(context ? { context } : {}) })).messages.map(({ context }) => context)
  expect(contexts(undefined)).toEqual([undefined, { ip: 'own', locale: 'de' }])
  expect(contexts({ ip: 'x', bot: 'y' })).toEqual([
    { ip: 'x', bot: 'y' },
    { ip: 'own', bot: 'y', locale: 'de' },
  ])
  expect(contexts([null, { bot: 'y' }])).toEqual([undefined, { bot: 'y', ip: 'own', locale: 'de' }])
})

it('keeps a field that is called like the prototype, as any other, and changes no prototype', () => {
  const own = JSON.parse('{ "__proto__": { "ip": "x" }, "locale": "de" }')
  const [message] = openEnvelope(envelope({ sent: [{ ...sent, context: own }], context: { bot: 'y' } })).messages
  expect(JSON.stringify(message!.context)).toBe('{"bot":"y","__proto__":{"ip":"x"},"locale":"de"}')
  expect(Object.getPrototypeOf(message!.context)).toBe(Object.prototype)
})

it('puts the ledger into the last message only', () => {
  const ledger = { captured: 2, sent: 2, acknowledged: 0, dropped: {} }
  const { messages } = openEnvelope(envelope({ sent: [sent, sent], ledger }))
  expect(messages.map(({ context }) => context)).toEqual([undefined, { ledger }])
})

it('is content with an envelope whose messages are finished', () => {
  const finished: EventEnvelope = {
    siteId: 'shop',
    visitorId: 'a',
    receivedAt: '2026-06-01T12:00:00.000Z',
    messages: [{ messageId: 'm', type: 'page', timestamp: '2026-06-01T12:00:00.000Z' }],
  }
  expect(openEnvelope(finished)).toBe(finished)
})
