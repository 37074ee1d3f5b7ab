import {
  DEFAULT_PARTITIONS,
  HASH_BEGIN,
  hash32,
  hashEnd,
  hashMore,
  partitionOf,
  shareOf,
  visitorIdOf,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

describe('hash32', () => {
  it('stays what it is: partitions and experiments depend on it', () => {
    expect(['', 'a', 'demo\0visitor', 'größe', '😀'].map(hash32)).toEqual([
      2872998923, 444641715, 835719752, 3449927484, 855877642,
    ])
  })

  it('is the same of parts, whatever letters they have', () => {
    for (const parts of [[], ['a', '', 'b'], ['grö', 'ße', '!'], ['x', '😀', '{"id":1}']])
      expect(hashEnd(parts.reduce(hashMore, HASH_BEGIN))).toBe(hash32(parts.join('')))
  })

  it('is an unsigned 32-bit number', () => {
    for (let i = 0; i < 1_000; i++) {
      const hash = hash32(`key ${i}`)
      expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true)
    }
  })
})

describe('visitorIdOf', () => {
  it('is the browser first, then the person', () => {
    expect(visitorIdOf({ anonymousId: 'a', userId: 'u' })).toBe('a')
    expect(visitorIdOf({ userId: 'u' })).toBe('user:u')
    expect(visitorIdOf({ anonymousId: '', userId: '' })).toBe('')
  })

  it('does not let a browser choose the profile of a person', () => {
    expect(visitorIdOf({ anonymousId: 'u' })).not.toBe(visitorIdOf({ userId: 'u' }))
    expect(visitorIdOf({ anonymousId: 'user:u' })).not.toBe(visitorIdOf({ userId: 'u' }))
  })

  it('gives different browsers different ids, whatever they are called', () => {
    const ids = ['u', 'user:u', 'visitor:u', 'visitor:user:u', 'visitor:visitor:user:u']
    expect(new Set(ids.map(anonymousId => visitorIdOf({ anonymousId }))).size).toBe(ids.length)
  })
})

describe('partitionOf', () => {
  it('spreads visitors evenly', () => {
    const counts = new Array<number>(DEFAULT_PARTITIONS).fill(0)
    const visitors = 32_000
    for (let i = 0; i < visitors; i++) counts[partitionOf('demo', `visitor-${i}`, DEFAULT_PARTITIONS)]!++
    const even = visitors / DEFAULT_PARTITIONS
    expect(Math.min(...counts)).toBeGreaterThan(even * 0.85)
    expect(Math.max(...counts)).toBeLessThan(even * 1.15)
  })

  it('keeps site and visitor apart', () => {
    const many = 1 << 20
    expect(partitionOf('ab', 'c', many)).not.toBe(partitionOf('a', 'bc', many))
  })
})

describe('shareOf', () => {
  it('is even, and independent between purposes', () => {
    let [first, second, both] = [0, 0, 0]
    const visitors = 20_000
    for (let i = 0; i < visitors; i++) {
      const a = shareOf('holdout', 'demo', `v${i}`) < 0.5
      const b = shareOf('explore', 'demo', `v${i}`) < 0.5
      if (a) first++
      if (b) second++
      if (a && b) both++
    }
    expect(first / visitors).toBeCloseTo(0.5, 1)
    expect(second / visitors).toBeCloseTo(0.5, 1)
    expect(both / visitors).toBeCloseTo(0.25, 1)
  })
})
