import { factorCholesky, invertCholesky } from '../../algebra/cholesky.js'
import type { Gram } from './gram.js'

/** Ridge penalty λ. */
const PENALTY = 500

/**
 * Returns the weights of EASE (Steck 2019, https://arxiv.org/abs/1905.03375), the linear model of a person's items by
 * all others: with P = (XᵀX + λ)⁻¹, the weight of i for j is −P_ij / P_jj. Seconds for 2,000 items.
 */
export function fitEase({ size, counts }: Gram): Float64Array {
  const matrix = Float64Array.from(counts)
  for (let item = 0; item < size; item++) matrix[item * (size + 1)] = matrix[item * (size + 1)]! + PENALTY
  factorCholesky(matrix, size)
  const weights = invertCholesky(matrix, size)
  const diagonal = Float64Array.from({ length: size }, (_, item) => weights[item * (size + 1)]!)
  for (let item = 0; item < size; item++)
    for (let target = 0; target < size; target++) {
      const at = item * size + target
      weights[at] = item === target ? 0 : -weights[at]! / diagonal[target]!
    }
  return weights
}
