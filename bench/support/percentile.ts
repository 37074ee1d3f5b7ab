/**
 * Returns the smallest of `values` that at least the share `p` of them doesn't exceed (nearest rank: a value that was
 * really measured). NaN when there are none.
 *
 * @param p from 0 to 1: 0.5 is the median
 */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!
}
