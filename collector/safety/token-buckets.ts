/** Tokens by key: who takes one for each request can go on at a steady rate, and faster for a moment. */
export interface TokenBuckets {
  /**
   * Takes one token.
   *
   * @param perSecond rate of this key, when it isn't the usual one
   * @param now milliseconds; must not go back
   * @returns 0 when there was one; otherwise the seconds until there is one again
   */
  take(key: string, now: number, perSecond?: number): number
}

interface Bucket {
  tokens: number
  at: number
}

/**
 * @param perSecond tokens that a key gets each second; 0: no limit
 * @param burstSeconds a rested key may take the tokens of so many seconds at once
 * @param maxKeys bound on memory, about 100 bytes a key; beyond it the one that rested longest is forgotten, which can
 *   only be too generous
 */
export function createTokenBuckets({
  perSecond: usual,
  burstSeconds,
  maxKeys,
}: {
  perSecond: number
  burstSeconds: number
  maxKeys: number
}): TokenBuckets {
  const buckets = new Map<string, Bucket>()
  return {
    take(key, now, perSecond = usual) {
      if (perSecond === 0) return 0
      const capacity = Math.max(1, perSecond * burstSeconds)
      const bucket = buckets.get(key) ?? { tokens: capacity, at: now }
      // To the end: the map's order is the order of use.
      buckets.delete(key)
      if (buckets.size >= maxKeys) buckets.delete(buckets.keys().next().value as string)
      buckets.set(key, bucket)
      bucket.tokens = Math.min(capacity, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond)
      bucket.at = now
      if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
      bucket.tokens -= 1
      return 0
    },
  }
}
