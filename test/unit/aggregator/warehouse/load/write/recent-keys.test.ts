import { describe, expect, it } from 'vitest'
import { recentKeys } from '#aggregator/warehouse/load/write/recent-keys.js'

const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `site\0visitor\0m-${from + n}`)

describe('recentKeys', () => {
  it('has every key of the last two generations, however many, and hardly another', () => {
    const recent = recentKeys(0, 50_000)
    for (const [n, key] of keys(0, 90_000).entries()) recent.add(key, n)
    expect(keys(0, 90_000).every(recent.has)).toBe(true)
    expect(keys(90_000, 190_000).filter(recent.has)).toEqual([])
    expect(recent.size).toBe(90_000)
  })

  it('counts a key once that is added twice', () => {
    const recent = recentKeys(0)
    for (const key of [...keys(0, 10), ...keys(5, 15)]) recent.add(key, 1)
    expect(recent.size).toBe(15)
  })

  it('says from when on it knows all, also after a generation is let go', () => {
    const recent = recentKeys(7, 10)
    for (const [n, key] of keys(0, 20).entries()) recent.add(key, 100 + n)
    expect(recent.coveredSince).toBe(7)
    recent.add('one more', 200)
    expect(recent.coveredSince).toBe(109)
    expect(recent.has(keys(9, 10)[0]!)).toBe(false)
    expect(recent.has(keys(10, 11)[0]!)).toBe(true)
  })
})
