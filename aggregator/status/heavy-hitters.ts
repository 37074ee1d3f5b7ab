/** The keys that come most often in a stream, found with bounded memory. */
export interface HeavyHitters {
  add(key: string, weight: number): void
  /** Keys by weight, heaviest first: each has at least `weight − error`, and at most `weight`. */
  top(limit: number): { key: string; weight: number; error: number }[]
  readonly total: number
}

/**
 * Creates a Space-Saving sketch (Metwally, Agrawal, El Abbadi, 2005). Every key with more than the `capacity`th part of
 * the total is in it; a key that comes in takes the place and the weight of the lightest one, which bounds its error.
 */
export function heavyHitters(capacity: number): HeavyHitters {
  const counters = new Map<string, { weight: number; error: number }>()
  let total = 0

  function lightest(): [string, number] {
    let least: [string, number] = ['', Number.POSITIVE_INFINITY]
    for (const [key, { weight }] of counters) if (weight < least[1]) least = [key, weight]
    return least
  }

  return {
    add(key, weight) {
      total += weight
      const counter = counters.get(key)
      if (counter) {
        counter.weight += weight
        return
      }
      let error = 0
      if (counters.size >= capacity) {
        const [leaves, least] = lightest()
        counters.delete(leaves)
        error = least
      }
      counters.set(key, { weight: error + weight, error })
    },
    top: limit =>
      [...counters]
        .map(([key, counter]) => ({ key, ...counter }))
        .sort((a, b) => b.weight - a.weight)
        .slice(0, limit),
    get total() {
      return total
    },
  }
}
