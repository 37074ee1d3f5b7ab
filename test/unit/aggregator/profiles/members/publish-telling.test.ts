import { type EventEnvelope, parseEventEnvelope, partitionOf, type StoredMessage } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createPublishTelling } from '#aggregator/profiles/members/publish-telling.js'

const PARTITIONS = 8

function message(id: string, size = 10): StoredMessage {
  const properties = { text: 'x'.repeat(size) }
  return { messageId: id, type: 'track', event: 'A', userId: 'ann', properties, timestamp: '2026-01-01T00:00:00.000Z' }
}

const telling = {
  ...{ siteId: 'shop', visitorId: 'user:ann', receivedAt: '2026-01-01T00:00:01.000Z', seq: 7 },
  ...{ visitors: ['phone', 'laptop'], userId: 'ann', sender: 'secret' as const },
}

async function published(messages: StoredMessage[]) {
  const all: { subject: string; envelope: EventEnvelope; id: string }[] = []
  const publish = createPublishTelling(
    {
      async publish(subject, data, id) {
        all.push({ subject, envelope: JSON.parse(String(data)), id: id ?? '' })
        return { duplicate: false } as never
      },
    },
    PARTITIONS,
    createMetrics(),
  )
  await publish({ ...telling, messages })
  return all
}

it('tells each visitor in its own partition, by whom, and who sent it', async () => {
  const all = await published([message('m1')])
  expect(all.map(({ subject }) => subject)).toEqual(
    ['phone', 'laptop'].map(visitor => `events.${partitionOf('shop', visitor, PARTITIONS)}`),
  )
  const { receivedAt } = telling
  expect(all[0]!.envelope).toEqual({
    ...{ siteId: 'shop', visitorId: 'phone', receivedAt, sender: 'secret', messages: [] },
    hearsay: { userId: 'ann', messages: [message('m1')] },
  })
  for (const { envelope } of all) expect(parseEventEnvelope(envelope)).toMatchObject({ ok: true })
})

it('tells much in several messages, with the same ids each time', async () => {
  const messages = Array.from({ length: 30 }, (_, index) => message(`m${index}`, 20_000))
  const all = await published(messages)
  expect(all.length).toBeGreaterThan(2)
  for (const { envelope } of all) expect(JSON.stringify(envelope).length).toBeLessThan(250_000)
  const toPhone = all.filter(({ envelope }) => envelope.visitorId === 'phone')
  expect(toPhone.flatMap(({ envelope }) => envelope.hearsay!.messages)).toEqual(messages)
  const ids = all.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect((await published(messages)).map(({ id }) => id).sort()).toEqual(ids.sort())
})

it.each([
  ['hearsay names no user', { messages: [] }],
  ['hearsay names no user', 'ann'],
  ['hearsay.messages is not a list of objects', { userId: 'ann' }],
  ['hearsay.messages[0].messageId is not text of 1 to 256 characters', { userId: 'ann', messages: [{}] }],
  ['hearsay.messages has more than 5000 messages', { userId: 'ann', messages: Array(5_001).fill(message('m1')) }],
])('is not read where it is of another shape: %s', (reason, hearsay) => {
  const base = { siteId: 'shop', visitorId: 'phone', receivedAt: '2026-01-01T00:00:01.000Z', messages: [] }
  expect(parseEventEnvelope({ ...base, hearsay })).toMatchObject({ ok: false, reason: expect.stringContaining(reason) })
})
