/**
 * Returns how far a share observed in a few trials is from the one expected, in nats: the number of trials times the
 * Kullback–Leibler divergence of the observed from the expected share, n·(q·ln(q/p) + (1 − q)·ln((1 − q)/(1 − p))),
 * which is the logarithm of the likelihood ratio (half of the statistic G). 0 where it is not above the expected one.
 *
 * @param hits of `trials`, may be fractions
 * @param expected share, above 0 and below 1
 * @see S. Kullback, R. A. Leibler, "On Information and Sufficiency", 1951
 */
export function divergenceOf(hits: number, trials: number, expected: number): number {
  const observed = hits / trials
  if (!(observed > expected)) return 0
  const misses = trials - hits
  return hits * Math.log(observed / expected) + (misses > 0 ? misses * Math.log((1 - observed) / (1 - expected)) : 0)
}
