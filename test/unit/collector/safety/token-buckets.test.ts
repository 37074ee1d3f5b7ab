import { describe, expect, it } from 'vitest'
import { createTokenBuckets } from '#collector/safety/token-buckets.js'

describe('token buckets', () => {
  it('let a burst through, then the steady rate', () => {
    const buckets = createTokenBuckets({ perSecond: 2, burstSeconds: 3, maxKeys: 10 })
    const burst = Array.from({ length: 7 }, () => buckets.take('a', 0))
    expect(burst).toEqual([0, 0, 0, 0, 0, 0, 1])
    expect(buckets.take('b', 0)).toBe(0)
    expect(buckets.take('a', 500)).toBe(0)
    expect(buckets.take('a', 500)).toBe(1)
    expect(buckets.take('a', 1_500)).toBe(0)
  })

  it('say how long to wait', () => {
    const buckets = createTokenBuckets({ perSecond: 0.1, burstSeconds: 10, maxKeys: 10 })
    expect(buckets.take('a', 0)).toBe(0)
    expect(buckets.take('a', 0)).toBe(10)
    expect(buckets.take('a', 9_000)).toBe(1)
  })

  it('know rates of their own, and no limit', () => {
    const none = createTokenBuckets({ perSecond: 0, burstSeconds: 1, maxKeys: 10 })
    expect(Array.from({ length: 100 }, () => none.take('a', 0)).every(wait => wait === 0)).toBe(true)
    expect(none.take('a', 0, 1)).toBe(0)
    expect(none.take('a', 0, 1)).toBe(1)
  })

  it('forget the key that rested longest when there are too many', () => {
    const buckets = createTokenBuckets({ perSecond: 1, burstSeconds: 1, maxKeys: 2 })
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key, 0)
    expect(buckets.take('a', 0)).toBe(1)
    expect(buckets.take('b', 0)).toBe(0)
  })
})
