import { type DecisionEnvelope, openEnvelope, type RejectedEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import type { AcceptedMessage, OutgoingEnvelope } from '#collector/intake/publish/outgoing-envelope.js'
import {
  decisionPublications,
  eventPublications,
  rejectedPublications,
} from '#collector/intake/publish/publications.js'

const receivedAt = '2026-06-01T12:00:00.000Z'
const message = (id: string, properties = {}): AcceptedMessage => ({
  id,
  raw: { messageId: id, type: 'track', event: 'E', anonymousId: 'a', properties },
  index: 0,
  changed: true,
  added: undefined,
})
const events = (ids: string[], rest: Partial<OutgoingEnvelope> = {}): OutgoingEnvelope => ({
  siteId: 'shop',
  visitorId: 'a',
  receivedAt,
  messages: ids.map(id => message(id)),
  ...rest,
})
const idOf = (envelope: OutgoingEnvelope, batchId = '') => eventPublications(envelope, batchId, 32)[0]!.msgId

describe('the id by which JetStream drops a second send', () => {
  it('is equal for each send of one batch, whenever it is received', () => {
    expect(idOf(events(['1', '2'], { receivedAt: '2027-01-01T00:00:00.000Z' }), 'b')).toBe(
      idOf(events(['1', '2']), 'b'),
    )
  })

  it.each([
    ['site', events(['1', '2'], { siteId: 'other' }), 'b'],
    ['visitor', events(['1', '2'], { visitorId: 'other' }), 'b'],
    ['batch', events(['1', '2']), 'c'],
    ['message in it', events(['1', '3']), 'b'],
    ['number of messages', events(['1']), 'b'],
    ['order', events(['2', '1']), 'b'],
    ['border between ids', events(['12']), 'b'],
  ])('differs for another %s', (_what, envelope, batchId) => {
    expect(idOf(envelope, batchId)).not.toBe(idOf(events(['1', '2']), 'b'))
  })

  it('of rejected messages does not depend on a reason that names the time', () => {
    const rejected = (reason: string, payload = '{}'): RejectedEnvelope => ({
      siteId: 'shop',
      receivedAt,
      rejected: [{ messageId: 'm', code: 'timestamp_out_of_range', reason, payload }],
    })
    const id = (envelope: RejectedEnvelope) => rejectedPublications(envelope, '', 32)[0]!
    expect(id(rejected('at 12:00'))).toMatchObject({
      msgId: id(rejected('at 12:01')).msgId,
      subject: id(rejected('at 12:01')).subject,
    })
    expect(id(rejected('', '[]')).msgId).not.toBe(id(rejected('')).msgId)
  })
})

describe('a sender that is spread', () => {
  const ids = Array.from({ length: 200 }, (_, n) => `m${n}`)
  const spread = eventPublications(events(ids, { spread: true }), 'b', 32)
  const placesOf = (publications: typeof spread) =>
    new Map(
      publications.flatMap(({ subject, data }) =>
        openEnvelope(JSON.parse(new TextDecoder().decode(data))).messages.map(m => [m.messageId, subject] as const),
      ),
    )

  it('has its messages in several partitions, each message in one', () => {
    expect(new Set(spread.map(({ subject }) => subject)).size).toBeGreaterThan(4)
    expect([...placesOf(spread).keys()].sort()).toEqual([...ids].sort())
    expect(new Set(spread.map(({ msgId }) => msgId)).size).toBe(spread.length)
  })

  it('sends a message to the same partition each time, whatever it comes with', () => {
    const places = placesOf(spread)
    for (const id of ids.slice(0, 20))
      expect(placesOf(eventPublications(events([id], { spread: true }), 'later', 32)).get(id)).toBe(places.get(id))
  })
})

describe('what is too large for one stream message', () => {
  it('is split, in order, with an id for each part', () => {
    const messages = Array.from({ length: 100 }, (_, i) => message(String(i), { text: 'x'.repeat(30_000) }))
    const ledger = { captured: 100, sent: 100, acknowledged: 0, dropped: {} }
    const publications = eventPublications(events([], { messages, ledger }), 'b', 32)
    expect(publications.length).toBeGreaterThan(3)
    for (const { data } of publications) expect(data.length).toBeLessThanOrEqual(768 * 1024)
    expect(new Set(publications.map(({ msgId }) => msgId)).size).toBe(publications.length)
    expect(new Set(publications.map(({ subject }) => subject)).size).toBe(1)
    const parts = publications.map(({ data }) => openEnvelope(JSON.parse(Buffer.from(data).toString())))
    const stored = parts.flatMap(part => part.messages)
    expect(stored.map(({ messageId }) => messageId)).toEqual(messages.map(({ id }) => id))
    expect(stored.filter(({ context }) => context?.ledger)).toEqual([stored.at(-1)])
    expect(parts.every(({ visitorId }) => visitorId === 'a')).toBe(true)
  })
})

describe('decisions', () => {
  it('go to the partition of their visitor, where the events go', () => {
    const envelope: DecisionEnvelope = { siteId: 'shop', visitorId: 'a', receivedAt, decisions: [] }
    const [decision] = decisionPublications(envelope, 32)
    const [event] = eventPublications(events(['1']), '', 32)
    expect(decision?.subject.replace('decisions.', '')).toBe(event?.subject.replace('events.', ''))
  })
})
