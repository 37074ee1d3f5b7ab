import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addOutcome,
  advance,
  type Epochs,
  emptyEpochs,
  latestFirst,
  mergeEpochs,
} from '#core/learning/epochs/epochs.js'
import { parseEpoch } from '#core/learning/stored/parse-epoch.js'
import { writeEpoch } from '#core/learning/stored/write-epoch.js'
import type { LearningOutcome } from '#core/learning/sums/outcome.js'

const BEGIN = Date.UTC(2026, 0, 1)
const DAY = 24 * 3_600_000
const HORIZON = 40 * DAY

const features = fc
  .uniqueArray(fc.nat(255), { minLength: 1, maxLength: 6 })
  .map(indices => indices.sort((a, b) => a - b))
  .chain(indices =>
    fc
      .array(fc.integer({ min: -4, max: 4 }), { minLength: indices.length, maxLength: indices.length })
      .map(values => ({ indices, values })),
  )

const outcome: fc.Arbitrary<LearningOutcome & { person: number }> = fc.record({
  person: fc.nat(9),
  contentId: fc.constantFrom('a', 'b', 'c'),
  // Ages from seconds to beyond the horizon.
  at: fc.double({ min: 0, max: 22, noNaN: true }).map(exponent => BEGIN - Math.floor(2 ** exponent) * 1_000),
  position: fc.integer({ min: 1, max: 12 }),
  reward: fc.oneof(fc.constant(0), fc.integer({ min: -5_000_000, max: 5_000_000 })),
  segments: fc.subarray(['rich', 'camper', 'new']),
  features,
})

/** All sums, as text that is equal for equal sums alone. */
function textOf(epochs: Epochs): string {
  const cells = latestFirst(epochs).map(writeEpoch)
  return JSON.stringify(cells.sort((a, b) => a.level - b.level || a.index - b.index))
}

function learn(outcomes: readonly LearningOutcome[], at: number = BEGIN): Epochs {
  const epochs = emptyEpochs(at, HORIZON)
  for (const one of outcomes) addOutcome(epochs, one)
  return epochs
}

describe('sums of outcomes', () => {
  it('are the same in any order, in any partition, and whenever time moves on', () => {
    fc.assert(
      fc.property(
        fc.array(outcome, { maxLength: 40 }),
        fc.nat(10 * DAY),
        fc.infiniteStream(fc.nat()),
        (all, later, numbers) => {
          const end = BEGIN + later
          const atOnce = textOf(learn(all, end))
          const shuffled = all.map(one => ({ one, key: numbers.next().value as number }))
          shuffled.sort((a, b) => a.key - b.key)
          const moving = emptyEpochs(BEGIN, HORIZON)
          for (const [index, { one }] of shuffled.entries()) {
            addOutcome(moving, one)
            advance(moving, BEGIN + Math.floor((later * index) / shuffled.length))
          }
          advance(moving, end)
          expect(textOf(moving)).toBe(atOnce)
          const parts = [0, 1, 2].map(part => learn(all.filter(({ person }) => person % 3 === part)))
          expect(textOf(mergeEpochs(parts, end))).toBe(atOnce)
        },
      ),
      { seed: 1, numRuns: 200 },
    )
  })

  it('without a person are those of training without them', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), fc.nat(9), fc.nat(10 * DAY), (all, person, later) => {
        const isOthers = (one: { person: number }) => one.person !== person
        const epochs = learn(all)
        advance(epochs, BEGIN + later)
        for (const one of all) if (!isOthers(one)) addOutcome(epochs, one, -1)
        const without = learn(all.filter(isOthers))
        advance(without, BEGIN + later)
        expect(textOf(epochs)).toBe(textOf(without))
        expect([...epochs.cells.keys()].sort()).toEqual([...without.cells.keys()].sort())
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 20 }), all => {
        for (const epoch of learn(all).cells.values())
          expect(parseEpoch(JSON.parse(JSON.stringify(writeEpoch(epoch))))).toEqual(epoch)
      }),
      { seed: 3, numRuns: 100 },
    )
  })
})

describe('a stored epoch', () => {
  const stored = () =>
    writeEpoch([...learn([{ contentId: 'a', at: BEGIN, position: 1, reward: 5, segments: ['x'] }]).cells.values()][0]!)

  it.each<[string, (epoch: ReturnType<typeof stored>) => unknown]>([
    ['another version', epoch => ({ ...epoch, version: 2 })],
    ['a level beyond all grids', epoch => ({ ...epoch, level: 99 })],
    ['a sum that is not exact', epoch => ({ ...epoch, squares: 2 ** 53 })],
    ['a key beyond the matrix', epoch => ({ ...epoch, vector: [5_000, 1] })],
    ['keys that do not rise', epoch => ({ ...epoch, vector: [3, 1, 0, 1] })],
    ['an explicit nothing', epoch => ({ ...epoch, matrix: [3, 0] })],
    ['a list that is cut off', epoch => ({ ...epoch, matrix: [3] })],
    ['a fraction', epoch => ({ ...epoch, matrix: [3, 0.5] })],
    ['a content twice', epoch => ({ ...epoch, contents: [...epoch.contents, ...epoch.contents] })],
    ['no object', () => 'epoch'],
  ])('is not read with %s', (_what, change) => {
    expect(parseEpoch(stored())).toBeDefined()
    expect(parseEpoch(change(stored()))).toBeUndefined()
  })
})
