import { boxMuller, boxMullerAtMost } from '../algebra/normal.js'
import { createWorkspace } from '../algebra/workspace.js'

/** Samples of the posterior of a slate: with fewer, chances are coarse; with more, the decision takes longer. */
const SAMPLES = 128

/** Standard deviations above its mean by which a number is likely to be among the largest. */
const OPTIMISM = 2

const numberSpace = createWorkspace()
const valueSpace = createWorkspace()

/**
 * Samples independent normal numbers, and returns of each sample the indices of its largest ones, the largest first; of
 * equal ones, the first. Most numbers of a sample are not among them: of those, no more is worked out than that, and
 * the likeliest are looked at first.
 *
 * @param count of indices of each sample
 * @param fill writes uniform random numbers in [0, 1): two for each index, in the order of the samples
 */
export function sampleTops(
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  count: number,
  fill: (numbers: Float64Array) => void,
): number[][] {
  const length = Math.min(count, means.length)
  const numbers = numberSpace(2 * means.length)
  const values = valueSpace(length)
  const order = likeliestFirst(means, deviations)
  const tops = new Array<number[]>(SAMPLES)
  for (let sample = 0; sample < SAMPLES; sample++) {
    fill(numbers)
    const top = new Array<number>(length)
    let filled = 0
    let least = Number.NEGATIVE_INFINITY
    for (let at = 0; at < order.length; at++) {
      const index = order[at]!
      const mean = means[index]!
      const deviation = deviations[index]!
      const first = numbers[2 * index]!
      const second = numbers[2 * index + 1]!
      if (mean + deviation * boxMullerAtMost(first, second) < least) continue
      const value = mean + deviation * boxMuller(first, second)
      if (value < least) continue
      let place = filled
      while (place > 0 && (value > values[place - 1]! || (value === values[place - 1]! && index < top[place - 1]!)))
        place--
      if (place === length) continue
      if (filled < length) filled++
      for (let to = filled - 1; to > place; to--) {
        values[to] = values[to - 1]!
        top[to] = top[to - 1]!
      }
      values[place] = value
      top[place] = index
      if (filled === length) least = values[length - 1]!
    }
    tops[sample] = top
  }
  return tops
}

/** Returns all indices, those first whose numbers are likely to be among the largest. */
function likeliestFirst(means: ArrayLike<number>, deviations: ArrayLike<number>): number[] {
  const hopes = Array.from(means, (mean, index) => mean + OPTIMISM * deviations[index]!)
  return [...hopes.keys()].sort((a, b) => hopes[b]! - hopes[a]!)
}
