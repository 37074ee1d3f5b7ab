import type { SignalEnvelope } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createPublishSignals } from '#aggregator/profiles/signals/publish-signals.js'

const found = (...ids: string[]): SignalEnvelope => ({
  siteId: 'shop',
  visitorId: 'v1',
  receivedAt: '2026-01-01T00:00:00.000Z',
  signals: ids.map(signalId => ({
    signalId,
    signal: 'repeated_view',
    messageId: 'm',
    timestamp: '2026-01-01T00:00:00.000Z',
    anonymousId: 'v1',
    userId: '',
    sessionId: 's1',
    details: {},
  })),
})

it('publishes the same signals under the same id, which the broker knows again, and counts them once', async () => {
  const known = new Set<string>()
  const sent: { subject: string; id: string }[] = []
  const metrics = createMetrics()
  const publish = createPublishSignals(
    {
      async publish(subject, _data, msgId = '') {
        const duplicate = known.has(msgId)
        known.add(msgId)
        sent.push({ subject, id: msgId })
        return { seq: known.size, duplicate }
      },
    },
    metrics,
  )
  for (const envelope of [found('a', 'b'), found('a', 'b'), found('a'), found('b')]) await publish(7, envelope)
  expect(sent.map(({ subject }) => subject)).toEqual(Array(4).fill('signals.7'))
  const [first, again, ...others] = sent.map(({ id }) => id)
  expect(again).toBe(first)
  expect(new Set([first, ...others]).size).toBe(3)
  expect(await metrics.registry.metrics()).toContain('slotstream_signals_total{signal="repeated_view"} 4')
})
