/**
 * Returns how the policy `affinity` scores all items for a user: the cosine of the categories of what they had with
 * those of an item.
 *
 * @param categories of each item, by number
 */
export function createAffinityScores(
  categories: readonly (readonly string[])[],
): (seen: readonly number[]) => Float64Array {
  return seen => {
    const interests = new Map<string, number>()
    for (const item of seen)
      for (const category of categories[item]!) interests.set(category, (interests.get(category) ?? 0) + 1)
    const length = Math.hypot(...interests.values())
    return Float64Array.from(categories, itemCategories => {
      const shared = itemCategories.reduce((sum, category) => sum + (interests.get(category) ?? 0), 0)
      return shared > 0 ? shared / (length * Math.sqrt(itemCategories.length)) : 0
    })
  }
}
