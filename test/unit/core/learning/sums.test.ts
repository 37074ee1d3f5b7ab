import { describe, expect, it } from 'vitest'
import { addOutcome, advance, emptyEpochs, latestFirst, mergeEpochs } from '#core/learning/epochs/epochs.js'
import { cellOf, endOf, lengthOfLevel, topLevelOf } from '#core/learning/epochs/time-grid.js'
import { addItems, emptyItemCounts, MAX_ITEMS_PER_BROWSER, mergeItemCounts } from '#core/learning/items/item-counts.js'
import { addExactly, MAX_REWARD, REWARD_SCALE, toFixedReward } from '#core/learning/sums/fixed-point.js'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 24 * 3_600_000

describe('fixed-point rewards', () => {
  it('keep cents, and are refused where they are none', () => {
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
