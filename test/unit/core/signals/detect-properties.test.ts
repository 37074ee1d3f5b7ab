import type { Profile, StoredMessage } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PRODUCTS } from '#core/signals/repeated-view.js'
import { applyAndDetect } from '../../../support/signals.js'
import { detected, envelope, MINUTE, message, NOW, SECOND } from './detected.js'

const viewed = (at: number, fields: Partial<StoredMessage> = {}) =>
  message(at, { event: 'Product Viewed', properties: { product_id: 'p1', category: 'shoes' }, ...fields })

/** Messages that make signals of every kind, some late, some of other sessions. */
const history = fc
  .array(
    fc.record({
      event: fc.constantFrom('Product Viewed', 'Product Added', 'Other'),
      product: fc.nat(3),
      category: fc.constantFrom('shoes', 'hats'),
      pause: fc.constantFrom(0, 100, 3 * SECOND, 40 * MINUTE, -5 * MINUTE),
      session: fc.constantFrom(undefined, 's1', 's2'),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map(steps => {
    let at = NOW
    return steps.map(({ event, product, category, pause, session }) => {
      at += pause
      const context = session ? { sessionId: session } : {}
      return message(at, { event, properties: { product_id: `p${product}`, category }, context })
    })
  })

describe('signals', () => {
  it('are whose their visitor is, with the times of their message', () => {
    const times = { originalTimestamp: '2026-01-01T00:00:00.000Z', sentAt: '2026-01-01T00:00:01.000Z' }
    const identify = message(NOW, { type: 'identify', userId: 'u1' })
    const messages = [identify, viewed(NOW), viewed(NOW), viewed(NOW + 1, { context: { sessionId: 's1' }, ...times })]
    // A session of its own begins: the views before don't count in it.
    expect(detected(messages)).toEqual([])
    const rest = [2, 3].map(n => viewed(NOW + n, { context: { sessionId: 's1' }, ...times }))
    expect(detected([...messages, ...rest])).toEqual([
      {
        signalId: expect.stringMatching(/^[\w-]{22}$/),
        signal: 'repeated_view',
        messageId: rest[1]!.messageId,
        timestamp: new Date(NOW + 3).toISOString(),
        ...times,
        anonymousId: 'v1',
        userId: 'u1',
        sessionId: 's1',
        details: { product_id: 'p1', category: 'shoes', views: 3 },
      },
    ])
  })

  it('have an id made of visitor, message and name', () => {
    const messages = [viewed(NOW), viewed(NOW), viewed(NOW)]
    const of = (visitorId: string, stream = messages) =>
      applyAndDetect(undefined, { ...envelope(stream), visitorId }, 1).signals.map(({ signalId }) => signalId)
    expect(of('v1')).toEqual(of('v1'))
    expect(of('v1')).not.toEqual(of('v2'))
    expect(of('v1')).not.toEqual(of('v1', [...messages.slice(1), viewed(NOW)]))
    // Also when the message's times are others, as in a second send.
    const again = messages.map(one => ({ ...one, timestamp: new Date(NOW + 7).toISOString() }))
    expect(of('v1')).toEqual(of('v1', again))
  })

  it('are the same in one stream message or many, and from whatever stored state they go on', () => {
    fc.assert(
      fc.property(history, messages => {
        const apart = detected(messages)
        const together = applyAndDetect(undefined, envelope(messages), 1)
        expect(together.signals).toEqual(apart)
        expect(new Set(apart.map(({ signalId }) => signalId)).size).toBe(apart.length)
        expect(together.profile?.signalMemory?.repeated_view?.length ?? 0).toBeLessThanOrEqual(PRODUCTS)
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('are none of a replay, of a second copy, nor of a sender that is spread', () => {
    const messages = [viewed(NOW), viewed(NOW), viewed(NOW)]
    const { profile, signals } = applyAndDetect(undefined, envelope(messages), 1)
    expect(signals).toHaveLength(1)
    expect(applyAndDetect(profile, envelope(messages), 1)).toEqual({ profile, signals: [] })
    expect(applyAndDetect(profile, envelope(messages), 2).signals).toEqual([])
    expect(applyAndDetect(undefined, { ...envelope(messages), spread: true }, 1).signals).toEqual([])
  })

  it('are detected from a profile that was stored before there were any', () => {
    const before = applyAndDetect(undefined, envelope([viewed(NOW), viewed(NOW), viewed(NOW)]), 1).profile!
    const { signalMemory: _, ...older } = JSON.parse(JSON.stringify(before)) as Profile
    const hats = () => message(NOW, { event: 'Product Added', properties: { category: 'hats' } })
    const first = applyAndDetect(older, envelope([viewed(NOW), viewed(NOW)]), 2)
    expect(first.signals).toEqual([])
    const { signals } = applyAndDetect(first.profile, envelope([viewed(NOW), hats(), hats(), hats()]), 3)
    expect(signals.map(({ signal, details }) => [signal, details.from ?? details.views])).toEqual([
      ['repeated_view', 3],
      ['interest_shift', 'shoes'],
    ])
  })

  it('are none when a message of the batch cannot be applied', () => {
    const bad = envelope([viewed(NOW), viewed(NOW), viewed(NOW), message(NOW, { timestamp: 'soon' })])
    expect(() => applyAndDetect(undefined, bad, 1)).toThrow('timestamp')
  })
})
