import { boxMuller, boxMullerAtMost } from '../algebra/normal.js'

/** Samples of the posterior of a slate: with fewer, chances are coarse; with more, the decision takes longer. */
const SAMPLES = 128

/**
 * Samples independent normal numbers, and returns of each sample the indices of its largest ones, the largest first.
 * Most numbers of a sample are not among them: of those, no more is worked out than that.
 *
 * @param count of indices of each sample
 */
export function sampleTops(
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  count: number,
  random: () => number,
): number[][] {
  const length = Math.min(count, means.length)
  const values = new Float64Array(length)
  return Array.from({ length: SAMPLES }, () => {
    const top: number[] = []
    let least = Number.NEGATIVE_INFINITY
    for (let index = 0; index < means.length; index++) {
      const first = random()
      const second = random()
      const mean = means[index]!
      const deviation = deviations[index]!
      if (mean + deviation * boxMullerAtMost(first, second) <= least) continue
      const value = mean + deviation * boxMuller(first, second)
      if (value <= least) continue
      let place = top.length < length ? top.length : length - 1
      for (; place > 0 && value > values[place - 1]!; place--) {
        values[place] = values[place - 1]!
        top[place] = top[place - 1]!
      }
      values[place] = value
      top[place] = index
      if (top.length === length) least = values[length - 1]!
    }
    return top
  })
}
