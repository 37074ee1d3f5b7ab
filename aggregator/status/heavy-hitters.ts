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
  /** The least weight when all counters were looked at last, and keys that had it. Weights only grow. */
  let least = 0
  let lightest: string[] = []

  /** Returns a key of the least weight. Among keys that come once each, few have to look at all counters. */
  function findLightest(): string {
    for (;;) {
      const key = lightest.pop()
      if (key === undefined) lookAtAll()
      else if (counters.get(key)?.weight === least) return key
    }
  }

  function lookAtAll(): void {
    least = Number.POSITIVE_INFINITY
    for (const { weight } of counters.values()) if (weight < least) least = weight
    lightest = [...counters.keys()].filter(key => counters.get(key)!.weight === least)
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
        counters.delete(findLightest())
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
