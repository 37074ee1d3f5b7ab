import type { LearningEnvelope, LearningRecord } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packFeatures } from '#core/learning/features/packed.js'
import { foldEnvelope } from '#core/learning/fold/fold-envelope.js'
import { advanceLearned, type Learned, nothingLearned } from '#core/learning/fold/learned.js'
import { noteMissed } from '#core/learning/fold/missed.js'
import { parseLearned } from '#core/learning/stored/parse-learned.js'
import { writeLearned } from '#core/learning/stored/write-learned.js'

const BEGIN = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

/** An item of a decision: what it earned, step by step. */
interface Item {
  person: number
  slotId: string
  contentId: string
  at: number
  rewards: number[]
  strata: number[]
  segments: string[]
  features: { indices: number[]; values: number[] }
}

const features = fc
  .uniqueArray(fc.nat(255), { minLength: 1, maxLength: 6 })
  .map(indices => indices.sort((a, b) => a - b))
  .chain(indices =>
    fc.record({
      indices: fc.constant(indices),
      values: fc.array(
        fc.integer({ min: -4, max: 4 }).filter(value => value !== 0),
        { minLength: indices.length, maxLength: indices.length },
      ),
    }),
  )

const item: fc.Arbitrary<Item> = fc.record({
  person: fc.nat(9),
  slotId: fc.constantFrom('hero', 'teaser'),
  contentId: fc.constantFrom('a', 'b', 'c'),
  at: fc.nat(48).map(half => BEGIN - half * (HOUR / 2)),
  rewards: fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 3 }),
  strata: fc.array(fc.nat(7), { minLength: 3, maxLength: 3 }),
  segments: fc.subarray(['rich', 'camper']),
  features,
})

/** Steps of an item, as the reducer tells them. */
function stepsOf({ person, rewards, strata, features: vector, ...others }: Item, index: number): LearningRecord[] {
  const stratumAt = (step: number) => (rewards[step] ? strata[step]! : 0)
  return rewards.map((reward, step) => ({
    decisionId: `${person}-${index}`,
    position: 1,
    ...others,
    features: packFeatures(vector),
    reward,
    ...(step > 0 && { previous: rewards[step - 1]! }),
    ...(stratumAt(step) > 0 && { stratum: stratumAt(step) }),
    ...(step > 0 && stratumAt(step - 1) > 0 && { previousStratum: stratumAt(step - 1) }),
  }))
}

interface Published {
  partition: number
  envelope: LearningEnvelope
}

/**
 * The stream of all items, a message for each step. Two publishers tell what was not stored yet: everything twice, say.
 */
function publish(items: readonly Item[]): Published[] {
  const sequences = [0, 0, 0]
  const told = items.flatMap((one, index) =>
    stepsOf(one, index).map(record => {
      const partition = one.person % 3
      return { partition, person: one.person, seq: ++sequences[partition]!, record }
    }),
  )
  return told.map(({ partition, person, seq, record }) => ({ partition, envelope: envelopeOf(person, seq, [record]) }))
}

function envelopeOf(person: number, seq: number, records: LearningRecord[]): LearningEnvelope {
  const id = `p${person}`
  return {
    ...{ siteId: 'shop', visitorId: id, anonymousId: id, receivedAt: '2026-01-01T00:00:00.000Z' },
    ...{ seq, stored: Math.max(0, seq - 5), records },
  }
}

/**
 * The same messages in another order, with repeats: none comes first after a message that says it was told, which is
 * all that is promised of the stream.
 */
function disturbed(all: readonly Published[], number: () => number): Published[] {
  const left = [...all]
  const result: Published[] = []
  while (left.length > 0) {
    const free = left.filter(
      ({ partition, envelope }) =>
        !left.some(other => other.partition === partition && other.envelope.seq <= envelope.stored),
    )
    const next = free[number() % free.length]!
    left.splice(left.indexOf(next), 1)
    result.push(next)
    if (number() % 3 === 0) result.push(result[number() % result.length]!)
  }
  return result
}

function fold(published: readonly Published[], learned: Learned = nothingLearned()): Learned {
  for (const { partition, envelope } of published) foldEnvelope(learned, partition, envelope, BEGIN)
  return learned
}

/** All sums as text, as of a later time: equal for equal sums alone. */
function sumsOf(learned: Learned): string[] {
  advanceLearned(learned, BEGIN + HOUR)
  return [...writeLearned({ ...learned, partitions: new Map(), removals: new Map(), missed: [] }, {}, 0)]
}

describe('what is learned from the stream', () => {
  it('is the same in any order of several publishers, and with repeats', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (items, numbers) => {
        const number = () => numbers.next().value as number
        const published = publish(items)
        const learned = fold(published)
        const others = fold(disturbed(published, number))
        expect(sumsOf(others)).toEqual(sumsOf(learned))
        expect(others.partitions).toEqual(learned.partitions)
      }),
      { seed: 1, numRuns: 150 },
    )
  })

  it('is the same from a snapshot at any place', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.nat(60), (items, place) => {
        const published = publish(items)
        const cut = Math.min(place, published.length)
        const lines = [...writeLearned(fold(published.slice(0, cut)), { LEARNING: cut }, BEGIN)]
        const parsed = parseLearned(lines)!
        expect(parsed.positions).toEqual({ LEARNING: cut })
        const whole = fold(published)
        // What was read before is read again, as after a crash.
        const resumed = fold(published.slice(Math.max(0, cut - 7)), parsed.learned)
        expect([...writeLearned(resumed, {}, 0)]).toEqual([...writeLearned(whole, {}, 0)])
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  it('without 1,000 persons who are deleted in random order is what it would be had they never come', () => {
    const random = seeded(7)
    const items = fc.sample(item, { seed: 3, numRuns: 3_000 }).map((one, index) => ({ ...one, person: index % 1_500 }))
    const deleted = new Set(shuffled([...Array(1_500).keys()], random).slice(0, 1_000))
    const learned = fold(publish(items))
    for (const person of shuffled([...deleted], random)) {
      const records = items.flatMap((one, index) => (one.person === person ? stepsOf(one, index) : []))
      const removal = { ...envelopeOf(person, 0, shuffled(records, random)), removal: `deletion-${person}` }
      foldEnvelope(learned, person % 3, removal, BEGIN)
      // A job that goes on after a crash tells it again.
      if (random() < 0.3) foldEnvelope(learned, person % 3, removal, BEGIN)
    }
    expect(learned.removals.size).toBe(1_000)
    expect(sumsOf(learned)).toEqual(sumsOf(fold(publish(items.filter(({ person }) => !deleted.has(person))))))
  })

  it('is without deleted persons also where their messages are gone and the removals are not', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.nat(9), fc.nat(60), (items, person, place) => {
        const published = publish(items).map((one, index) => ({ ...one, position: index + 1 }))
        const theirs = published.filter(({ envelope }) => envelope.visitorId === `p${person}`)
        const removals = theirs.map(({ partition, envelope, position }, index) => ({
          partition,
          envelope: { ...envelope, seq: 0, stored: 0, removal: `r${position}`, removes: position },
          position: published.length + 1 + index,
        }))
        const erased = [...published.filter(one => !theirs.includes(one)), ...removals]
        // From the beginning of the stream, or from a snapshot of before the deletion.
        const cut = Math.min(place, published.length)
        const snapshot = fold(published.slice(0, cut))
        const begun: [Learned, number][] = [
          [nothingLearned(), 0],
          [parseLearned(writeLearned(snapshot, {}, 0))!.learned, cut],
        ]
        const others = sumsOf(fold(published.filter(one => !theirs.includes(one))))
        for (const [learned, from] of begun) {
          let through = from
          for (const { partition, envelope, position } of erased.filter(one => one.position > from)) {
            noteMissed(learned.missed, through + 1, position - 1)
            foldEnvelope(learned, partition, envelope, BEGIN)
            through = position
          }
          expect(sumsOf({ ...learned, missed: [] })).toEqual(others)
        }
      }),
      { seed: 4, numRuns: 150 },
    )
  })
})

/** Numbers from 0 to 1 by a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map(value => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value)
}
