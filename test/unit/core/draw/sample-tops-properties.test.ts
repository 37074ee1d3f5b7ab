import { describe, expect, it } from 'vitest'
import { boxMuller, boxMullerAtMost } from '#core/algebra/normal.js'
import { seededNumbers, seededRandom } from '#core/decide/random.js'
import { sampleTops } from '#core/draw/sample-tops.js'

/** The largest of each sample, with all numbers worked out and sorted. */
function sortedTops(means: number[], deviations: number[], count: number, random: () => number): number[][] {
  return Array.from({ length: 128 }, () =>
    means
      .map((mean, index) => ({ index, value: mean + deviations[index]! * boxMuller(random(), random()) }))
      .sort((one, other) => other.value - one.value || one.index - other.index)
      .slice(0, count)
      .map(({ index }) => index),
  )
}

describe('the largest of samples', () => {
  it.each([
    { contents: 64, count: 3, spread: 0.3 },
    { contents: 64, count: 5, spread: 0.01 },
    { contents: 20, count: 1, spread: 3 },
    { contents: 3, count: 5, spread: 0.3 },
    { contents: 40, count: 4, spread: 0 },
  ])(
    'are those of all numbers sorted: $count of $contents, deviations up to $spread',
    ({ contents, count, spread }) => {
      for (let round = 0; round < 20; round++) {
        const random = seededRandom(`round ${round}`)
        const means = Array.from({ length: contents }, random)
        const deviations = Array.from({ length: contents }, () => spread * random())
        expect(sampleTops(means, deviations, count, seededNumbers('samples'))).toEqual(
          sortedTops(means, deviations, count, seededRandom('samples')),
        )
      }
    },
  )
})

describe('what a normal number does not exceed', () => {
  it('holds for each pair of uniform numbers, the least and the largest too', () => {
    const edges = [0, 2 ** -32, 1 / 256, 1 / 256 - 2 ** -32, 0.25, 0.25 - 2 ** -32, 0.5, 0.75, 255 / 256, 1 - 2 ** -32]
    const random = seededRandom('pairs')
    for (const first of [...edges, ...Array.from({ length: 300 }, random)])
      for (const second of [...edges, ...Array.from({ length: 300 }, random)])
        expect(boxMuller(first, second)).toBeLessThanOrEqual(boxMullerAtMost(first, second))
  })
})
