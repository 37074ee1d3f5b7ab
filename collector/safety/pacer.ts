/** Spreads what one key holds over time, so that a burst reaches those behind as a steady flow. */
export interface Pacer {
  /**
   * Reserves the next place in the flow for so many things.
   *
   * @returns how long to wait for it, in milliseconds
   */
  reserve(key: string, count: number, now: number): number
  /** Returns how long the next one would have to wait, in milliseconds. */
  wait(key: string, now: number): number
}

/**
 * @param perSecond how many things flow in a second; 0: any number, at once
 * @param share of that which flows at the moment. Default: all
 * @param maxKeys bound on memory; the key that came longest ago is forgotten, which can only be too generous
 */
export function createPacer({
  perSecond,
  maxKeys,
  share = () => 1,
}: {
  perSecond: number
  maxKeys: number
  share?: () => number
}): Pacer {
  const nextFree = new Map<string, number>()
  return {
    reserve(key, count, now) {
      if (perSecond === 0) return 0
      const at = Math.max(now, nextFree.get(key) ?? 0)
      nextFree.delete(key)
      if (nextFree.size >= maxKeys) nextFree.delete(nextFree.keys().next().value as string)
      nextFree.set(key, at + (count * 1_000) / (perSecond * share()))
      return at - now
    },
    wait: (key, now) => Math.max(0, (nextFree.get(key) ?? 0) - now),
  }
}
