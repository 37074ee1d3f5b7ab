/**
 * Returns a function of a category: its share in the person's interests, 0 to 1. It is 0 for all if there are none.
 *
 * @param affinities interest by category, not negative
 */
export function interestShares(affinities: Record<string, number> = {}): (category: string) => number {
  // A map: a category may have the name of a property that every object has, such as `constructor`.
  const shares = new Map(Object.entries(affinities))
  let total = 0
  for (const value of shares.values()) total += value
  return category => (total > 0 ? (shares.get(category) ?? 0) / total : 0)
}
