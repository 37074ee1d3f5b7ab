/**
 * Returns a function that says which share of a person's interests a category has: 0–1, and 0 for all where there are
 * none.
 *
 * @param affinities interest by category, not negative
 */
export function interestShares(affinities: Record<string, number> = {}): (category: string) => number {
  // Not by the object itself: a category may be called as something that every object has.
  const shares = new Map(Object.entries(affinities))
  let total = 0
  for (const value of shares.values()) total += value
  return category => (total > 0 ? (shares.get(category) ?? 0) / total : 0)
}
