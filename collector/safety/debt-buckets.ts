/**
 * Tokens by key, for costs that are only known afterwards: what is spent may be more than there is, once, and the key
 * then owes it. Unlike `TokenBuckets`, it never refuses a part of what one request holds.
 */
export interface DebtBuckets {
  /** Seconds until the key owes nothing any more, at least 1; 0 if it owes nothing now. */
  debt(key: string, now: number): number
  /** Takes tokens, also more than there are. */
  spend(key: string, tokens: number, now: number): void
}

interface Bucket {
  tokens: number
  at: number
}

/**
 * @param perSecond tokens that a key gets each second; 0: no limit
 * @param burstSeconds a rested key has the tokens of so many seconds
 * @param maxKeys bound on memory, about 100 bytes a key; beyond it the one that rested longest is forgotten, which can
 *   only be too generous
 */
export function createDebtBuckets({
  perSecond,
  burstSeconds,
  maxKeys,
}: {
  perSecond: number
  burstSeconds: number
  maxKeys: number
}): DebtBuckets {
  const buckets = new Map<string, Bucket>()
  const capacity = perSecond * burstSeconds

  function tokensOf(bucket: Bucket, now: number): number {
    return Math.min(capacity, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond)
  }

  return {
    debt(key, now) {
      const bucket = buckets.get(key)
      const tokens = bucket ? tokensOf(bucket, now) : 0
      return tokens < 0 ? Math.max(1, Math.ceil(-tokens / perSecond)) : 0
    },
    spend(key, spent, now) {
      if (perSecond === 0 || spent === 0) return
      const bucket = buckets.get(key) ?? { tokens: capacity, at: now }
      // To the end: the map's order is the order of use.
      buckets.delete(key)
      if (buckets.size >= maxKeys) buckets.delete(buckets.keys().next().value as string)
      buckets.set(key, bucket)
      bucket.tokens = tokensOf(bucket, now) - spent
      bucket.at = now
    },
  }
}
