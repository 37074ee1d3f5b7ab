/** An estimate and the ends of its 95 % interval. */
export interface Estimate {
  value: number
  low: number
  high: number
}

/** The 97.5 % quantile of the standard normal distribution. */
const Z = 1.959963984540054

/**
 * Returns the mean of terms with the normal interval of their influence function. Terms of one decision are summed up
 * first, since one person's rewards depend on each other.
 *
 * @param value what the terms are measured from
 * @param influence of each term: how much it moves the estimate, as a difference from `value`
 * @param decision of each term: the number of its decision; those of one are adjacent
 */
export function estimateOf(value: number, influence: Float64Array, decision: ArrayLike<number>): Estimate {
  const error = standardError(influence, decision)
  return { value, low: value - Z * error, high: value + Z * error }
}

/**
 * Returns √(c / (c − 1) · Σ (sum of the influence of a decision)²) / n of n terms in c decisions; 0 for a single
 * decision.
 */
export function standardError(influence: Float64Array, decision: ArrayLike<number>): number {
  let decisions = 0
  let squares = 0
  let sum = 0
  for (let row = 0; row < influence.length; row++) {
    if (row === 0 || decision[row] !== decision[row - 1]) {
      squares += sum * sum
      sum = 0
      decisions++
    }
    sum += influence[row]!
  }
  squares += sum * sum
  return decisions > 1 ? Math.sqrt((squares * decisions) / (decisions - 1)) / influence.length : 0
}

/** Returns the mean; 0 of nothing. */
export function meanOf(terms: Float64Array): number {
  let sum = 0
  for (let row = 0; row < terms.length; row++) sum += terms[row]!
  return terms.length > 0 ? sum / terms.length : 0
}
