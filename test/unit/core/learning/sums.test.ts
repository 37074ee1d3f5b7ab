import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { addOutcome, advance, type Epoch, emptyEpochs, latestFirst, mergeEpochs } from '#core/learning/epochs/epochs.js'
import { cellOf, endOf, lengthOfLevel, topLevelOf } from '#core/learning/epochs/time-grid.js'
import { crossFacts, featuresOf } from '#core/learning/features/cross.js'
import { addItems, emptyItemCounts, MAX_ITEMS_PER_BROWSER, mergeItemCounts } from '#core/learning/items/item-counts.js'
import { parseEpoch } from '#core/learning/stored/parse-epoch.js'
import { writeEpoch } from '#core/learning/stored/write-epoch.js'
import { addExactly, MAX_REWARD, REWARD_SCALE, toFixedReward } from '#core/learning/sums/fixed-point.js'
import type { LearningOutcome } from '#core/learning/sums/outcome.js'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 24 * 3_600_000

describe('fixed-point rewards', () => {
  it('keep cents, and are rejected where they are none', () => {
    expect(toFixedReward(19.99)).toBe(199_900)
    expect(Object.is(toFixedReward(-0.00001), 0)).toBe(true)
    expect(toFixedReward(-MAX_REWARD)).toBe(-MAX_REWARD * REWARD_SCALE)
    for (const bad of [Number.NaN, MAX_REWARD + 1, Number.POSITIVE_INFINITY])
      expect(() => toFixedReward(bad)).toThrow(RangeError)
  })

  it('are not added beyond what is exact', () => {
    expect(addExactly(Number.MAX_SAFE_INTEGER - 1, 1)).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => addExactly(Number.MAX_SAFE_INTEGER, 1)).toThrow(/beyond what is exact/)
  })
})

describe('the time grid', () => {
  const top = topLevelOf(90 * DAY)

  it('has short epochs for what is new, and few for all', () => {
    expect(cellOf(NOW, NOW, top).level).toBe(0)
    const cells = new Set<string>()
    for (let age = 0; age < 90 * DAY; age += 1_000 + Math.floor(age / 50)) {
      const { level, index } = cellOf(NOW - age, NOW, top)
      cells.add(`${level}:${index}`)
      if (level > 0) expect(lengthOfLevel(level)).toBeLessThanOrEqual(age / 2)
    }
    expect(cells.size).toBeLessThan(90)
  })

  it('keeps together what is in one epoch', () => {
    for (let age = 0; age < 90 * DAY; age += 33_333_333) {
      const cell = cellOf(NOW - age, NOW, top)
      const end = endOf(cell)
      expect(cellOf(end - 1, NOW, top)).toEqual(cell)
      expect(cellOf(end - lengthOfLevel(cell.level), NOW, top)).toEqual(cell)
    }
  })

  it('drops what is beyond the horizon, whole', () => {
    const epochs = emptyEpochs(NOW, 40 * DAY)
    const outcome = { contentId: 'a', at: NOW, position: 1, reward: 1, segments: [] }
    addOutcome(epochs, outcome)
    advance(epochs, NOW + 39 * DAY)
    expect(epochs.cells.size).toBe(1)
    advance(epochs, NOW + 55 * DAY)
    expect(epochs.cells.size).toBe(0)
    addOutcome(epochs, outcome)
    expect(latestFirst(epochs)).toEqual([])
  })

  it('is the same for all partitions that are merged', () => {
    expect(() => mergeEpochs([emptyEpochs(NOW), emptyEpochs(NOW, 40 * DAY)], NOW)).toThrow(/cannot be merged/)
    expect(() => emptyEpochs(NOW, 10)).toThrow(/at least 4000 ms/)
  })
})

describe('sums without persons who were deleted', () => {
  it('are those of training without them, after a thousand deletions in random order', () => {
    const random = seededRandom('deletions')
    const persons = Array.from({ length: 1_200 }, (_, person) =>
      Array.from(
        { length: 1 + Math.floor(random() * 4) },
        (): LearningOutcome => ({
          contentId: `c${Math.floor(random() * 9)}`,
          at: NOW - Math.floor(random() ** 4 * 80 * DAY),
          position: 1 + Math.floor(random() * 3),
          reward: random() < 0.3 ? Math.floor(random() * 1e6) : 0,
          segments: random() < 0.5 ? ['rich'] : [],
          features: featuresOf(crossFacts({ traits: { person: person % 40 } }), { id: 'c', category: 'k' }, 1),
        }),
      ),
    )
    const all = emptyEpochs(NOW)
    for (const outcome of persons.flat()) addOutcome(all, outcome)
    const order = persons.map((outcomes, person) => ({ person, outcomes, key: random() }))
    const deleted = order.sort((a, b) => a.key - b.key).slice(0, 1_000)
    for (const [index, { outcomes }] of deleted.entries()) {
      if (index % 100 === 0) advance(all, NOW + index * 3_600_000)
      for (const outcome of outcomes) addOutcome(all, outcome, -1)
    }
    const others = emptyEpochs(all.now)
    const gone = new Set(deleted.map(({ person }) => person))
    for (const [person, outcomes] of persons.entries())
      if (!gone.has(person)) for (const outcome of outcomes) addOutcome(others, outcome)
    expect(latestFirst(all).map(writeEpoch)).toEqual(latestFirst(others).map(writeEpoch))
    expect(all.cells).toEqual(others.cells)
  })
})

describe('sums of large rewards', () => {
  it.each([50_000, MAX_REWARD])('hold any number of squares of %i, are stored, and are taken away again', reward => {
    const features = featuresOf(crossFacts({}), { id: 'c', category: 'k' }, 1)
    const outcome = {
      contentId: 'a',
      at: NOW,
      position: 1,
      reward: toFixedReward(reward),
      segments: ['rich'],
      features,
    }
    const epochs = emptyEpochs(NOW)
    const before = { ...outcome, reward: toFixedReward(3) }
    addOutcome(epochs, before)
    const few = latestFirst(epochs).map(writeEpoch)
    for (let n = 0; n < 1_000; n++) addOutcome(epochs, outcome)
    const [epoch] = latestFirst(epochs)
    const squares = BigInt(reward) ** 2n * BigInt(REWARD_SCALE) * 1_000n + 90_000n
    expect(epoch!.sums.linear.squares).toBe(squares)
    expect(epoch!.sums.contents.get('a')!.positions.get(0)![2]).toBe(squares)
    const stored: unknown = JSON.parse(JSON.stringify(writeEpoch(epoch!)))
    expect(parseEpoch(stored)).toEqual(epoch)
    expect(advance(epochs, NOW + 40 * DAY)).toBe(0)
    for (let n = 0; n < 1_000; n++) addOutcome(epochs, outcome, -1)
    const [{ sums }] = latestFirst(epochs) as [Epoch]
    expect(writeEpoch({ ...epoch!, sums })).toEqual(few[0])
    addOutcome(epochs, before, -1)
    expect(epochs.cells.size).toBe(0)
  })

  it('are no numbers of another form', () => {
    const epochs = emptyEpochs(NOW)
    addOutcome(epochs, { contentId: 'a', at: NOW, position: 1, reward: 1, segments: [] })
    const stored = writeEpoch(latestFirst(epochs)[0]!)
    expect(parseEpoch(stored)).toBeDefined()
    for (const squares of ['1', '9007199254740991', '09007199254740993', '1e30', '9'.repeat(31), '', 1.5, null])
      expect(parseEpoch({ ...stored, squares }), `${squares}`).toBeUndefined()
    const wide = '9007199254740993'
    expect(parseEpoch({ ...stored, squares: wide })?.sums.linear.squares).toBe(BigInt(wide))
    expect(parseEpoch({ ...stored, outcomes: wide })).toBeUndefined()
    for (const positions of [
      [0, wide, 1, 1],
      [0, 1, wide, 1],
      [wide, 1, 1, 1],
    ])
      expect(parseEpoch({ ...stored, contents: [['a', positions, []]] })).toBeUndefined()
    expect(parseEpoch({ ...stored, vector: [0, wide] })).toBeUndefined()
  })
})

describe('counts of items', () => {
  const browsers = [
    ['a', 'b', 'a'],
    ['b', 'c'],
    ['c', 'a', 'b'],
  ]

  it('are the same in any order, and without a browser as if it had never been', () => {
    const all = emptyItemCounts()
    for (const items of browsers) addItems(all, items, 1)
    expect(all.pairs.get('a\0b')).toBe(2)
    const others = emptyItemCounts()
    for (const items of [
      ['b', 'a'],
      ['c', 'b'],
    ])
      addItems(others, items, 1)
    addItems(all, ['b', 'c', 'a'], -1)
    expect(all).toEqual(others)
    const parts = [emptyItemCounts(), emptyItemCounts()]
    for (const [index, items] of browsers.slice(0, 2).entries()) addItems(parts[index]!, items, 1)
    mergeItemCounts(parts[0]!, parts[1]!)
    expect(parts[0]).toEqual(others)
  })

  it('are bounded, and by which items does not depend on their order', () => {
    const many = Array.from({ length: 3 * MAX_ITEMS_PER_BROWSER }, (_, index) => `item${index}`)
    const forward = emptyItemCounts()
    addItems(forward, many, 1)
    expect(forward.items.size).toBe(MAX_ITEMS_PER_BROWSER)
    addItems(forward, many.toReversed(), -1)
    expect(forward).toEqual(emptyItemCounts())
  })
})
