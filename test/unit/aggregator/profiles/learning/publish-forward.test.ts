import { type EventEnvelope, parseEventEnvelope, type StoredMessage } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createPublishForward } from '#aggregator/profiles/learning/publish-forward.js'

const message: StoredMessage = {
  ...{ messageId: 'm1', type: 'track', event: 'Order Completed', userId: 'ann' },
  timestamp: '2026-01-01T00:00:00.000Z',
}

it.each(['secret', 'unsigned', undefined] as const)('tells browsers who sent what is forwarded: %s', async sender => {
  const told: EventEnvelope[] = []
  const publish = createPublishForward(
    {
      async publish(_subject, data) {
        told.push(JSON.parse(String(data)))
        return { duplicate: false } as never
      },
    },
    8,
    createMetrics(),
  )
  const receivedAt = '2026-01-01T00:00:01.000Z'
  await publish({
    ...{ siteId: 'shop', visitorId: 'user:ann', receivedAt, seq: 1 },
    ...{ browsers: ['v1'], messages: [message] },
    ...(sender && { sender }),
  })
  expect(told).toEqual([
    { siteId: 'shop', visitorId: 'v1', receivedAt, forwarded: [message], messages: [], ...(sender && { sender }) },
  ])
  expect(parseEventEnvelope(told[0]).ok).toBe(true)
})
