import {
  advanceLearned,
  foldEnvelope,
  type Learned,
  nothingLearned,
  parseLearned,
  writeLearned,
} from '@slotstream/core'
import { contentFill, contentsRecordId, type LearningEnvelope, parseLearningEnvelope } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const NOW = Date.UTC(2026, 10, 2)
const DAY_MS = 24 * 3_600_000
const FILL = contentFill('1k2j3h4', 90)

const envelopeOf = (seq: number, more: Partial<LearningEnvelope> = {}): LearningEnvelope => ({
  ...{ siteId: 'shop', visitorId: `v${seq}`, anonymousId: `v${seq}`, receivedAt: '2026-11-01T00:00:00.000Z' },
  ...{ seq, stored: 0, batch: FILL, records: [] },
  contents: [{ contentId: 'tent', slotId: 'hero', amounts: [['v', 0, 0, 10 ** seq]] }],
  ...more,
})

const fold = (all: readonly LearningEnvelope[], learned = nothingLearned(), partition = 3): Learned => {
  for (const envelope of all) foldEnvelope(learned, partition, envelope, NOW)
  return learned
}

const sumIn = (learned: Learned) => learned.contents.sites.get('shop')?.byId.get('tent')?.rows.get('v\0hero')?.[1]

describe('a fill', () => {
  it('counts each of its envelopes once, in any order, through a snapshot at any place', () => {
    const all = Array.from({ length: 8 }, (_, seq) => envelopeOf(seq + 1))
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }),
        fc.nat(2 * all.length),
        (some, cut) => {
          const half = fold(some.slice(0, cut))
          const stored = parseLearned(writeLearned(half, {}, NOW))!
          expect(sumIn(fold(some.slice(cut), stored.learned))).toBe(111_111_110)
        },
      ),
    )
  })

  it('knows by two numbers what it had, when each wave says that the one before is there', () => {
    const waves = Array.from({ length: 9 }, (_, seq) => envelopeOf(seq + 1, { stored: 3 * Math.floor(seq / 3) }))
    const learned = fold(waves)
    expect([...learned.fills]).toEqual([[`3 shop ${FILL}`, { stored: 6, above: new Set([7, 8, 9]), at: NOW }]])
    expect(sumIn(fold(waves.toReversed(), learned))).toBe(1_111_111_110)
    // As it was begun again: it does not know what is there.
    expect(
      sumIn(
        fold(
          waves.map(envelope => ({ ...envelope, stored: 0 })),
          learned,
        ),
      ),
    ).toBe(1_111_111_110)
  })

  it('is apart from messages, other fills, sites and partitions of its numbers', () => {
    const learned = fold([envelopeOf(1)])
    const { batch: _fill, ...message } = envelopeOf(1)
    fold([message, envelopeOf(1, { batch: contentFill('1k2j3h4', 91) })], learned)
    fold([envelopeOf(1)], learned, 4)
    fold([envelopeOf(1, { siteId: 'other' })], learned)
    expect(sumIn(learned)).toBe(40)
    expect(learned.partitions.get(3)).toEqual({ stored: 0, above: new Set([1]) })
  })

  it('is taken away as it was added, once', () => {
    const learned = fold([envelopeOf(1), envelopeOf(2)])
    const removal = `${contentsRecordId(3, envelopeOf(2))}@1`
    expect(removal).toBe(`3.shop.${FILL}.2.contents@1`)
    const { batch: _fill, ...taken } = envelopeOf(2, { removal, removes: 5, seq: 0 })
    fold([taken, taken], learned)
    expect(sumIn(learned)).toBe(10)
  })

  it('is forgotten when no stream can have it any more', () => {
    const learned = fold([envelopeOf(1)])
    advanceLearned(learned, NOW + 60 * DAY_MS)
    expect(learned.fills.size).toBe(1)
    advanceLearned(learned, NOW + 60 * DAY_MS + 1)
    expect(learned.fills.size).toBe(0)
    expect(sumIn(learned)).toBe(10)
  })

  it('has a name that is checked', () => {
    expect(parseLearningEnvelope(envelopeOf(1)).ok).toBe(true)
    for (const batch of ['fill-', 'fill-v-', 'fill-V-1', `fill-${'v'.repeat(21)}-1`, 'fill-v-1-2', 'log-v-1'])
      expect([batch, parseLearningEnvelope(envelopeOf(1, { batch })).ok]).toEqual([batch, false])
  })
})
