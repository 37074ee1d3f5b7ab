import { describe, expect, it } from 'vitest'
import { createMemo } from '#protocol/wire/memo.js'

describe('a memo', () => {
  function counted(bounds: Parameters<typeof createMemo>[0]) {
    let made = 0
    const memo = createMemo(bounds, (key: string) => {
      made++
      return key.toUpperCase()
    })
    return { memo, made: () => made }
  }

  it('asks once for what it knows', () => {
    const { memo, made } = counted({ max: 10 })
    for (const key of ['a', 'b', 'a', 'b']) memo(key)
    expect(made()).toBe(2)
  })

  it('forgets the oldest beyond its number, and beyond its bytes', () => {
    const few = counted({ max: 2 })
    for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) few.memo(key)
    expect(few.made()).toBe(4)
    const small = counted({ max: 1_000, maxBytes: 10_000 })
    for (let n = 0; n < 100; n++) small.memo(`${n}${'x'.repeat(500)}`)
    small.memo(`0${'x'.repeat(500)}`)
    expect(small.made()).toBe(101)
  })

  it('answers for a long key, and does not remember it', () => {
    const { memo, made } = counted({ max: 10, maxKeyLength: 100 })
    const long = 'x'.repeat(101)
    expect([memo(long), memo(long)]).toEqual([long.toUpperCase(), long.toUpperCase()])
    expect(made()).toBe(2)
  })
})
