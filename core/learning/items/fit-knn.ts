import type { Gram } from './gram.js'

/** Neighbours of a target, at most. */
const NEIGHBOURS = 100

/** Shrinks the similarity of rare items, which few browsers make large. */
const SHRINK = 10

/**
 * Returns the weights of item-kNN: for each target the cosines n_ij / (√(n_i n_j) + 10) of its 100 nearest neighbours.
 */
export function fitKnn({ size, counts }: Gram): Float64Array {
  const weights = new Float64Array(size * size)
  const similarities = new Float64Array(size)
  for (let target = 0; target < size; target++) {
    const targetCount = counts[target * (size + 1)]!
    const near: number[] = []
    for (let item = 0; item < size; item++) {
      const pairCount = counts[target * size + item]!
      if (item === target || pairCount === 0) continue
      similarities[item] = pairCount / (Math.sqrt(targetCount * counts[item * (size + 1)]!) + SHRINK)
      near.push(item)
    }
    near.sort((a, b) => similarities[b]! - similarities[a]! || a - b)
    for (const item of near.slice(0, NEIGHBOURS)) weights[item * size + target] = similarities[item]!
  }
  return weights
}
