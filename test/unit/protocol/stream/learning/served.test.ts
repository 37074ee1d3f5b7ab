import { parseEventEnvelope, type ServedDecision } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { packFeatures, unpackFeatures } from '#core/learning/features/packed.js'

const SERVED: ServedDecision = {
  decisionId: 'd1',
  slotId: 'hero',
  at: 1_767_225_600_000,
  sessionId: '',
  items: [{ contentId: 'a', position: 1, features: [0, 2, 5, -1], stopAfter: 'Order Completed' }],
  rewards: [
    { event: 'Order Completed', value: 'properties.revenue', min: -5, max: 50, from: 'secret', windowHours: 24 },
  ],
  most: 4_000_000,
  countFrom: 'served',
  segments: ['rich'],
}
const ITEM = SERVED.items[0]!

const parse = (...served: unknown[]) =>
  parseEventEnvelope({ siteId: 'shop', visitorId: 'v', receivedAt: '2026-01-01T00:00:00.000Z', served, messages: [] })

describe('an envelope with served decisions', () => {
  it('is taken as it is', () => {
    expect(parse(SERVED, { ...SERVED, decisionId: 'd2', isOnlyCounted: true })).toMatchObject({
      ok: true,
      value: { served: [SERVED, { isOnlyCounted: true }] },
    })
  })

  it.each([
    ['no object', null],
    ['no id', { ...SERVED, decisionId: '' }],
    ['an id with NUL', { ...SERVED, slotId: 'a\0b' }],
    ['a time that is none', { ...SERVED, at: '2026' }],
    ['a fraction of a time', { ...SERVED, at: 1.5 }],
    ['no session', { ...SERVED, sessionId: undefined }],
    ['no items', { ...SERVED, items: {} }],
    ['too many items', { ...SERVED, items: Array.from({ length: 51 }, () => ITEM) }],
    ['a position below 1', { ...SERVED, items: [{ ...ITEM, position: 0 }] }],
    ['features of half a pair', { ...SERVED, items: [{ ...ITEM, features: [1] }] }],
    ['features that do not rise', { ...SERVED, items: [{ ...ITEM, features: [1, 1, 0, 1] }] }],
    ['features below 0', { ...SERVED, items: [{ ...ITEM, features: [-1, 1] }] }],
    ['a feature of 0', { ...SERVED, items: [{ ...ITEM, features: [1, 0] }] }],
    ['a feature that is no whole number', { ...SERVED, items: [{ ...ITEM, features: [1, 0.5] }] }],
    ['a feature beyond the matrix', { ...SERVED, items: [{ ...ITEM, features: [5_000, 1] }] }],
    ['a reward without hours', { ...SERVED, rewards: [{ event: 'a' }] }],
    ['a reward of infinite worth', { ...SERVED, rewards: [{ event: 'a', value: Number.NaN, windowHours: 1 }] }],
    ['a reward of an unknown sender', { ...SERVED, rewards: [{ event: 'a', from: 'public', windowHours: 1 }] }],
    ['a reward whose least is above 0', { ...SERVED, rewards: [{ event: 'a', min: 1, windowHours: 1 }] }],
    ['a reward whose most is beyond the bounds', { ...SERVED, rewards: [{ event: 'a', max: 1e6, windowHours: 1 }] }],
    ['a fraction as the most', { ...SERVED, most: 0.5 }],
    ['an unknown countFrom', { ...SERVED, countFrom: 'clicked' }],
    ['segments that are no texts', { ...SERVED, segments: [1] }],
    ['isOnlyCounted that is not true', { ...SERVED, isOnlyCounted: false }],
  ])('is rejected with %s', (_what, served) => {
    expect(parse(served)).toEqual({ ok: false, reason: 'served are no decisions' })
  })

  it('is rejected with too many of them', () => {
    expect(parse(...Array.from({ length: 101 }, () => SERVED)).ok).toBe(false)
  })

  it('holds features that are packed and unpacked without loss', () => {
    for (const vector of [
      { indices: [], values: [] },
      { indices: [0, 7, 255], values: [2, -3, 1] },
    ])
      expect(unpackFeatures(packFeatures(vector))).toEqual(vector)
    expect(packFeatures({ indices: [3, 4, 9], values: [1, 2, -1] })).toEqual([3, 1, 1, 2, 5, -1])
  })
})
