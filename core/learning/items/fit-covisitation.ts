import type { Gram } from './gram.js'

/** Returns the weights of co-visitation: for item i and target j, the share of browsers with i that also have j. */
export function fitCovisitation({ size, counts }: Gram): Float64Array {
  const weights = new Float64Array(size * size)
  for (let item = 0; item < size; item++) {
    const itemCount = counts[item * (size + 1)]!
    if (itemCount === 0) continue
    for (let target = 0; target < size; target++)
      if (target !== item) weights[item * size + target] = counts[item * size + target]! / itemCount
  }
  return weights
}
