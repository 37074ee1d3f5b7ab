import { parseLearningEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { isEarning, isKeptDecision } from '#protocol/stream/learning/parse-kept.js'

const AT = Date.UTC(2026, 0, 1)

describe('a message of learning records', () => {
  const record = {
    ...{ decisionId: 'd', slotId: 'hero', contentId: 'tent', position: 1, at: AT, reward: 10_000 },
    ...{ previous: 5_000, stratum: 7, previousStratum: 1, segments: ['vip'], features: [3, 1, 4, -2] },
  }
  const good = {
    ...{ siteId: 'shop', visitorId: 'v', anonymousId: 'v', userId: 'u', receivedAt: '2026-01-01T00:00:00.000Z' },
    ...{ seq: 7, stored: 3, records: [record] },
  }
  const withRecord = (fields: object) => ({ ...good, records: [{ ...record, ...fields }] })

  it('is given back as it was read', () => {
    expect(parseLearningEnvelope(good)).toEqual({ ok: true, value: good })
    const { previous: _p, previousStratum: _ps, segments: _s, features: _f, ...first } = record
    expect(parseLearningEnvelope({ ...good, removal: '1.7.0@5', records: [first] }).ok).toBe(true)
    const part = { ...good, anonymousId: '', userId: undefined, batch: 'import-0123456789abcdef-12' }
    expect(parseLearningEnvelope(part).ok).toBe(true)
  })

  it.each<[string, unknown]>([
    ['siteId', { ...good, siteId: 'A' }],
    ['anonymousId', { ...good, anonymousId: 1 }],
    ['seq', { ...good, seq: -1 }],
    ['stored', { ...good, stored: undefined }],
    ['removal', { ...good, removal: '' }],
    ['batch', { ...good, batch: '1.7' }],
    ['batch', { ...good, batch: 'import-0123456789abcdef' }],
    ['records', { ...good, records: {} }],
    ['records[0]', { ...good, records: [null] }],
    ['decisionId', withRecord({ decisionId: '' })],
    ['position', withRecord({ position: 0 })],
    ['time', withRecord({ at: -1 })],
    ['reward', withRecord({ reward: 0.5 })],
    ['previous', withRecord({ previous: null })],
    ['stratum', withRecord({ stratum: 8 })],
    ['stratum', withRecord({ stratum: 0 })],
    ['previousStratum', withRecord({ previousStratum: 1.5 })],
    ['segments', withRecord({ segments: [1] })],
    ['features', withRecord({ features: [1] })],
  ])('is rejected where %s is wrong', (what, raw) => {
    expect(parseLearningEnvelope(raw)).toMatchObject({ ok: false, reason: expect.stringContaining(what) })
  })
})

describe('what a profile keeps of decisions', () => {
  const item = { contentId: 'tent', position: 1, viewedAt: AT, clicks: [AT], reward: 0 }
  const kept = { decisionId: 'd', slotId: 'hero', at: AT, sessionId: '', items: [item] }
  const earning = { at: AT, id: 2 ** 53 - 1, decisionId: 'd', contentIds: ['tent'], isSecret: true, worth: [1, 10_000] }

  it('is known by its shape', () => {
    expect(isKeptDecision(kept)).toBe(true)
    expect(isEarning(earning)).toBe(true)
  })

  it.each([
    { ...kept, at: '1' },
    { ...kept, items: [{ ...item, viewedAt: '1' }] },
    { ...kept, items: [{ ...item, clicks: 1 }] },
    { ...kept, items: [{ ...item, reward: 0.5 }] },
    { ...kept, rewards: [{ event: 'E' }] },
  ])('is no decision as %j', raw => {
    expect(isKeptDecision(raw)).toBe(false)
  })

  it.each([
    { ...earning, id: -1 },
    { ...earning, worth: [1] },
    { ...earning, worth: [1, 0.5] },
    { ...earning, at: null },
    { ...earning, isSecret: false },
  ])('is no earning as %j', raw => {
    expect(isEarning(raw)).toBe(false)
  })
})
