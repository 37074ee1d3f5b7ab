import type { LearningEnvelope, LearningRecord } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { bytesOfEpochs } from '#core/learning/epochs/epochs.js'
import { foldEnvelope } from '#core/learning/fold/fold-envelope.js'
import {
  advanceLearned,
  type Learned,
  MAX_LEARNED_SLOTS,
  nothingLearned,
  slotKey,
} from '#core/learning/fold/learned.js'
import { isMissed, type MissedRanges, noteMissed } from '#core/learning/fold/missed.js'
import { readModel } from '#core/learning/model/slot-model.js'
import { parseLearned } from '#core/learning/stored/parse-learned.js'
import { writeLearned } from '#core/learning/stored/write-learned.js'
import { MAX_REWARD, REWARD_SCALE } from '#core/learning/sums/fixed-point.js'

const BEGIN = Date.UTC(2026, 0, 1)
const LARGEST = MAX_REWARD * REWARD_SCALE
/** Of the largest reward and a feature of 1,024, the sum of so many products is exact. */
const EXACT = 8_796

let sequence = 0

function record(changes: Partial<LearningRecord> = {}): LearningRecord {
  return { decisionId: 'd', slotId: 'hero', contentId: 'a', position: 1, at: BEGIN, reward: 0, ...changes }
}

function envelope(records: LearningRecord[], changes: Partial<LearningEnvelope> = {}): LearningEnvelope {
  return {
    ...{ siteId: 'shop', visitorId: 'v', anonymousId: 'v', receivedAt: '2026-01-01T00:00:00.000Z' },
    ...{ seq: ++sequence, stored: 0, records, ...changes },
  }
}

const read = (learned = nothingLearned()) =>
  readModel(learned.slots.get(slotKey('shop', 'hero'))!.epochs, { dimension: 256, trendHalfLifeMs: 3_600_000 })

describe('a message of learning records', () => {
  it('adds what was viewed, and replaces what earned more', () => {
    const learned = nothingLearned()
    foldEnvelope(learned, 0, envelope([record()]), BEGIN)
    expect(read(learned).contents.byId.get('a')).toMatchObject({ views: 1, rewards: 0 })
    foldEnvelope(learned, 0, envelope([record({ reward: 10_000, previous: 0 })]), BEGIN)
    expect(read(learned).contents.byId.get('a')).toMatchObject({ views: 1, rewards: 1 })
  })

  it('is known when it is published again, and when another says it was told', () => {
    const learned = nothingLearned()
    const first = envelope([record()], { seq: 10, stored: 4 })
    expect(foldEnvelope(learned, 0, first, BEGIN)).toMatchObject({ isRepeat: false, records: 1 })
    expect(foldEnvelope(learned, 0, { ...first, stored: 6 }, BEGIN)).toMatchObject({ isRepeat: true, records: 0 })
    foldEnvelope(learned, 0, envelope([record()], { seq: 20, stored: 15 }), BEGIN)
    expect(foldEnvelope(learned, 0, envelope([record()], { seq: 15 }), BEGIN).isRepeat).toBe(true)
    expect(learned.partitions.get(0)).toEqual({ stored: 15, above: new Set([20]) })
    // Partitions count by themselves.
    expect(foldEnvelope(learned, 1, first, BEGIN).isRepeat).toBe(false)
  })

  it('of an imported log is added once, whichever sequence it comes with, and is no message of its partition', () => {
    const learned = nothingLearned()
    const part = (n: number, changes: Partial<LearningEnvelope> = {}) =>
      envelope([record()], { seq: 0, stored: 0, batch: `import-0123456789abcdef-${n}`, ...changes })
    expect(foldEnvelope(learned, 0, part(0), BEGIN)).toMatchObject({ isRepeat: false, records: 1 })
    expect(foldEnvelope(learned, 0, part(1), BEGIN)).toMatchObject({ isRepeat: false, records: 1 })
    for (const partition of [0, 1]) expect(foldEnvelope(learned, partition, part(0), BEGIN).isRepeat).toBe(true)
    expect(learned.partitions.size).toBe(0)
    const stored = [...writeLearned(learned, {}, 0)]
    expect(foldEnvelope(parseLearned(stored)!.learned, 0, part(1), BEGIN).isRepeat).toBe(true)
    const removal = part(0, { batch: undefined, removal: 'import-0123456789abcdef-0@1' } as never)
    foldEnvelope(learned, 0, removal, BEGIN)
    foldEnvelope(learned, 0, removal, BEGIN)
    expect(read(learned).contents.byId.get('a')).toMatchObject({ views: 1 })
  })

  it.each<[string, Partial<LearningRecord>, string]>([
    ['a reward beyond all bounds', { reward: LARGEST + 1 }, 'reward'],
    ['a fraction', { reward: 0.5 }, 'reward'],
    ['a reward before it beyond all bounds', { previous: -LARGEST - 1 }, 'reward'],
    ['features beyond the dimension', { features: [256, 1] }, 'features'],
    ['features that do not rise', { features: [3, 1, 0, 1] }, 'features'],
    ['features of nothing', { features: [3, 0] }, 'features'],
    ['features that are cut off', { features: [3] }, 'features'],
    ['a huge feature', { features: [3, 1_025] }, 'features'],
  ])('is not learned from with %s, and others of it are', (_what, changes, refusal) => {
    const learned = nothingLearned()
    const folded = foldEnvelope(learned, 0, envelope([record(changes), record()]), BEGIN)
    expect(folded).toMatchObject({ records: 1, refused: [refusal] })
    expect(read(learned).contents.byId.get('a')).toMatchObject({ views: 1, rewards: 0 })
  })

  it('changes nothing where a sum would not be exact', () => {
    const learned = nothingLearned()
    const huge = record({ reward: LARGEST, features: [3, 1_024, 4, -2], segments: ['rich'] })
    expect(foldEnvelope(learned, 0, envelope(Array(EXACT).fill(huge)), BEGIN).refused).toEqual([])
    const before = [...writeLearned(learned, {}, 0)].slice(1)
    expect(foldEnvelope(learned, 0, envelope([huge]), BEGIN)).toMatchObject({ records: 0, refused: ['inexact'] })
    // The step that was to be replaced stays as it was.
    const step = record({ ...huge, previous: 0 })
    expect(foldEnvelope(learned, 0, envelope([step]), BEGIN)).toMatchObject({ records: 0, refused: ['inexact'] })
    expect([...writeLearned(learned, {}, 0)].slice(1)).toEqual(before)
  })

  it('drops epochs that cannot be merged exactly, and goes on', () => {
    const learned = nothingLearned()
    const huge = (at: number) => record({ reward: LARGEST, at, features: [3, 1_024] })
    for (let count = 0; count < EXACT + 2; count++)
      foldEnvelope(learned, 0, envelope([huge(BEGIN - (count % 2) * 1_000 - 998)]), BEGIN)
    expect(advanceLearned(learned, BEGIN + 30 * 24 * 3_600_000)).toBe(1)
    expect(read(learned).contents.byId.get('a')!.views).toBe(EXACT / 2 + 1)
  })

  it('has room for so many slots of a site and contents of a slot', () => {
    const learned = nothingLearned()
    const slots = Array.from({ length: MAX_LEARNED_SLOTS + 5 }, (_, index) => record({ slotId: `s${index}` }))
    expect(foldEnvelope(learned, 0, envelope(slots), BEGIN).refused).toEqual(Array(5).fill('slots'))
    expect(foldEnvelope(learned, 0, envelope([record()], { siteId: 'other' }), BEGIN).records).toBe(1)
    const contents = Array.from({ length: 10_003 }, (_, index) => record({ slotId: 's1', contentId: `c${index}` }))
    expect(foldEnvelope(learned, 0, envelope(contents), BEGIN).refused).toEqual(Array(4).fill('contents'))
    expect([...writeLearned(learned, {}, 0)].length).toBeGreaterThan(MAX_LEARNED_SLOTS)
  })

  it('is forgotten beyond the horizon, with its slot, and removals after their time', () => {
    const learned = nothingLearned()
    foldEnvelope(learned, 0, envelope([record()]), BEGIN)
    foldEnvelope(learned, 0, envelope([record({ contentId: 'b' })], { removal: 'r', seq: 0 }), BEGIN)
    advanceLearned(learned, BEGIN + 200 * 24 * 3_600_000)
    expect(learned.slots.size).toBe(0)
    expect(learned.slotCounts.size).toBe(0)
    expect(learned.removals.size).toBe(0)
  })

  it('that takes away what was never there leaves no model of less than nothing', () => {
    const learned = nothingLearned()
    const features = [3, 1, 7, -2]
    for (let count = 0; count < 3; count++)
      foldEnvelope(learned, 0, envelope([record({ features })], { removal: `r${count}` }), BEGIN)
    foldEnvelope(learned, 0, envelope([record({ contentId: 'b', reward: 10_000 })]), BEGIN)
    const { contents, linear } = read(learned)
    expect([...contents.byId.keys()]).toEqual(['b'])
    expect(contents.total).toMatchObject({ views: 1, rewards: 1 })
    expect(linear).toBeUndefined()
    // It is stored all the same: what is missing may still come.
    expect(parseLearned(writeLearned(learned, {}, 0))?.learned).toEqual(learned)
  })
})

it('what a stratum of losses cannot have, as after a mixed update, leaves the content in the model, unweighted', () => {
  const learned = nothingLearned()
  const fold = (...records: LearningRecord[]) => foldEnvelope(learned, 0, envelope(records), BEGIN)
  fold(record({ features: [3, 1] }), record({ reward: 10_000, features: [3, 1] }))
  // That it was in a stratum got lost with a snapshot of an earlier version.
  fold(record({ reward: 20_000, previous: 10_000, previousStratum: 3, features: [3, 1] }))
  fold(record({ contentId: 'b', reward: 10_000, stratum: 3 }))
  const { byId } = read(learned).contents
  expect(byId.get('a')).toMatchObject({ views: 2, rewards: 2 })
  expect(byId.get('b')).toMatchObject({ views: 1, rewards: 1.25 })
})

/** Features of two tokens that no other number has. */
const featuresOf = (number: number) => [2 * number, 1, 1, 1]

describe('the memory of all slots', () => {
  const fold = (learned: Learned, records: LearningRecord[], changes: Partial<LearningEnvelope> = {}) =>
    foldEnvelope(learned, 0, envelope(records, changes), BEGIN)
  const recounted = ({ slots }: Learned) =>
    [...slots.values()].reduce((bytes, { epochs }) => bytes + bytesOfEpochs(epochs), 0)

  it('is counted as records come, are replaced, and leave', () => {
    const learned = nothingLearned()
    const one = record({ features: [3, 1, 7, -2], segments: ['rich'] })
    fold(learned, [one, record({ contentId: 'b', slotId: 'teaser', features: [3, 1] })])
    fold(learned, [{ ...one, reward: 10_000, previous: 0 }])
    expect(learned.bytes).toBe(recounted(learned))
    expect([...learned.slots.values()].reduce((sum, { bytes }) => sum + bytes, 0)).toBe(learned.bytes)
    expect(parseLearned(writeLearned(learned, {}, 0))?.learned.bytes).toBe(learned.bytes)
    fold(learned, [{ ...one, reward: 10_000 }], { removal: 'r', seq: 0 })
    expect(learned.bytes).toBe(recounted(learned))
    advanceLearned(learned, BEGIN + 200 * 24 * 3_600_000)
    expect(learned.bytes).toBe(0)
  })

  it('is bounded: beyond it a slot learns of no further products of features, of contents still', () => {
    const learned = nothingLearned(8_000)
    const flood = (from: number) => Array.from({ length: 60 }, (_, at) => record({ features: featuresOf(from + at) }))
    const first = fold(learned, flood(0))
    expect(first.records).toBe(60)
    expect(new Set(first.refused)).toEqual(new Set(['memory']))
    const full = learned.bytes
    expect(full).toBeLessThan(8_000)
    expect(fold(learned, flood(60)).refused).toHaveLength(60)
    expect(learned.bytes).toBe(full)
    expect(read(learned).contents.byId.get('a')).toMatchObject({ views: 120 })

    // What was rejected stays so when it earns more, and when it is taken away: it leaves nothing of what never was.
    const before = sums(learned)
    const refused = record({ features: featuresOf(119) })
    expect(fold(learned, [{ ...refused, reward: 5_000, previous: 0 }]).refused).toEqual(['memory'])
    expect(fold(learned, [{ ...refused, reward: 5_000 }], { removal: 'r1', seq: 0 }).refused).toEqual(['memory'])
    expect(fold(learned, [refused]).refused).toEqual(['memory'])
    expect(sums(learned)).toEqual(before)
    // What is known already is learned on.
    const known = record({ features: featuresOf(0), reward: 5_000, previous: 0 })
    expect(fold(learned, [known]).refused).toEqual([])
    expect(sums(learned)).not.toEqual(before)
  })

  it('is not for strata of losses beyond it: one is left out as a whole, and what is left is exact', () => {
    const learned = nothingLearned()
    const lossy = (contentId: string, reward = 10_000) => record({ contentId, reward, stratum: 3 })
    fold(learned, [lossy('a'), record({ contentId: 'b' }), lossy('c')])
    const strata = () => [...learned.slots.values()].flatMap(({ epochs }) => [...epochs.cells.values()])[0]?.sums.strata
    learned.maxBytes = learned.bytes
    // What the stratum knows is added to.
    expect(fold(learned, [lossy('c')]).refused).toEqual([])
    expect(strata()?.get(3)?.contents.size).toBe(2)
    expect(fold(learned, [{ ...lossy('b'), previous: 0 }])).toMatchObject({ refused: ['memory'], records: 1 })
    expect(strata()?.get(3)?.contents.size).toBe(0)
    expect(learned.bytes).toBeLessThan(learned.maxBytes)
    expect(learned.bytes).toBe(recounted(learned))
    expect(parseLearned(writeLearned(learned, {}, 0), learned.maxBytes)?.learned).toEqual(learned)
    // Room or not, it stays out, and is read without weights; then all is taken away.
    learned.maxBytes = Number.POSITIVE_INFINITY
    expect(fold(learned, [{ ...lossy('c', 20_000), previous: 10_000, previousStratum: 3 }]).refused).toEqual(['memory'])
    expect(read(learned).contents.byId.get('c')).toMatchObject({ views: 2, rewards: 3 })
    fold(learned, [lossy('a'), lossy('b'), lossy('c'), lossy('c', 20_000)], { removal: 'r', seq: 0 })
    expect(strata()).toBeUndefined()
    expect(learned.bytes).toBe(0)
  })

  it('that one slot has filled leaves room for the others, until there is none at all', () => {
    const learned = nothingLearned(16_000)
    fold(learned, [record({ slotId: 'teaser' })])
    const flood = Array.from({ length: 100 }, (_, at) => record({ features: featuresOf(at) }))
    expect(fold(learned, flood).refused.length).toBeGreaterThan(0)
    expect(fold(learned, [record({ slotId: 'teaser', features: featuresOf(3) })]).refused).toEqual([])
    const contents = Array.from({ length: 100 }, (_, at) => record({ slotId: 'aside', contentId: `c${at}` }))
    const folded = fold(learned, contents)
    expect(folded.refused.length).toBeGreaterThan(0)
    expect(folded.records + folded.refused.length).toBe(100)
    expect(learned.bytes).toBeLessThan(17_000)
    expect(fold(learned, [contents[0]!]).refused).toEqual([])
  })

  const sums = (learned: Learned) => [...writeLearned(learned, {}, 0)].slice(1)
})

describe('messages that were gone', () => {
  it('are ranges, which join where they touch', () => {
    const missed: MissedRanges = []
    const noted: [number, number][] = [
      [5, 6],
      [1, 2],
      [9, 9],
      [7, 7],
      [4, 3],
      [20, 30],
      [25, 28],
    ]
    for (const [first, last] of noted) noteMissed(missed, first, last)
    expect(missed).toEqual([
      [1, 2],
      [5, 7],
      [9, 9],
      [20, 30],
    ])
    const found = Array.from({ length: 32 }, (_, position) => position).filter(position => isMissed(missed, position))
    expect(found).toEqual([1, 2, 5, 6, 7, 9, ...Array.from({ length: 11 }, (_, index) => 20 + index)])
  })

  it('are so many ranges at most: the nearest become one', () => {
    const missed: MissedRanges = []
    for (let at = 0; at < 10_000; at++) noteMissed(missed, 10 * at, 10 * at + 1)
    noteMissed(missed, 55, 56)
    expect(missed).toHaveLength(10_000)
    expect(isMissed(missed, 53)).toBe(true)
  })
})

describe('what is stored of all that was learned', () => {
  const lines = () => {
    const learned = nothingLearned()
    const all = [record({ segments: ['x'], features: [1, 2] }), record({ slotId: 'teaser', reward: 5 })]
    foldEnvelope(learned, 3, envelope(all, { seq: 9, stored: 4 }), BEGIN)
    foldEnvelope(learned, 3, envelope([], { removal: 'r' }), BEGIN)
    return [...writeLearned(learned, { LEARNING: 12 }, BEGIN)]
  }

  it('is read as it was written', () => {
    const parsed = parseLearned(lines())!
    expect([...writeLearned(parsed.learned, parsed.positions, parsed.at)]).toEqual(lines())
    expect(parsed.learned.slotCounts).toEqual(new Map([['shop', 2]]))
  })

  it.each<[string, (lines: string[]) => string[]]>([
    ['nothing', () => []],
    ['a line that is missing', all => all.toSpliced(2, 1)],
    ['a line that is too many', all => [...all, '{}']],
    ['an end that is missing', all => all.slice(0, -1)],
    ['a line that is no JSON', all => all.with(2, '{"version":1,')],
    ['a slot twice', all => [...all, ...all.slice(1)]],
    ['another version', all => all.with(0, all[0]!.replace('"version":1', '"version":2'))],
    ['ranges that do not rise', all => all.with(0, all[0]!.replace('"missed":[]', '"missed":[[3,4],[4,5]]'))],
    ['positions of another shape', all => all.with(0, all[0]!.replace('"LEARNING":12', '"LEARNING":-1'))],
    ['partitions of another shape', all => all.with(0, all[0]!.replace('[3,4,[9]]', '[3,4]'))],
  ])('is not read at all with %s', (_what, damage) => {
    expect(parseLearned(damage(lines()))).toBeUndefined()
  })
})
