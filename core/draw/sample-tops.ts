import { normalFrom } from '../algebra/normal.js'

/** Samples of the posterior of a slate: with fewer, chances are coarse; with more, the decision takes longer. */
const SAMPLES = 128

/**
 * Samples independent normal numbers, and returns of each sample the indices of its largest ones, the largest first.
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
  return Array.from({ length: SAMPLES }, () => {
    const top: { index: number; value: number }[] = []
    for (let index = 0; index < means.length; index++) {
      const value = means[index]! + deviations[index]! * normalFrom(random)
      if (top.length === length && value <= top[length - 1]!.value) continue
      let place = top.length
      while (place > 0 && value > top[place - 1]!.value) place--
      top.splice(place, 0, { index, value })
      if (top.length > length) top.pop()
    }
    return top.map(({ index }) => index)
  })
}
