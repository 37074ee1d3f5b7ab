import { describe, expect, it } from 'vitest'
import { compileCondition } from '#core/conditions/compile-condition.js'
import { readPath } from '#core/conditions/read-path.js'
import { shareReads } from '#core/conditions/share-reads.js'

/** Reads that count how often each path was looked up. */
function counted() {
  const count: Record<string, number> = {}
  const reads = shareReads(path => {
    const read = readPath(path)
    return attributes => {
      count[path] = (count[path] ?? 0) + 1
      return read(attributes)
    }
  })
  const compile = (condition: unknown) => {
    const compiled = compileCondition(condition, { read: reads.read })
    if (!compiled.ok) throw new Error(compiled.reason)
    return compiled.value
  }
  return { count, reads, compile }
}

describe('conditions that share reads', () => {
  it('read each path once for a person, and no path that none asks for', () => {
    const { count, reads, compile } = counted()
    const conditions = [
      compile({ 'a.b': 1, c: 2 }),
      compile({ 'a.b': 1 }),
      compile({ 'a.b': 2, d: 1 }),
      compile({ d: 3 }),
    ]
    const loaded = reads.load({ a: { b: 1 }, c: 2 })
    expect(conditions.map(({ matches }) => matches(loaded))).toEqual([true, true, false, false])
    expect(count).toEqual({ 'a.b': 1, c: 1, d: 1 })
    const other = reads.load({ a: { b: 2 }, d: 1 })
    expect(conditions.map(({ matches }) => matches(other))).toEqual([false, false, true, false])
    expect(conditions[0]!.misses(loaded)).toEqual([])
    expect(conditions[0]!.misses(other)).toEqual(['a.b is 2, wanted 1', 'c is missing, wanted 2'])
  })

  it('read attributes that are not loaded, too', () => {
    const { reads, compile } = counted()
    const { matches } = compile({ 'a.b': 1 })
    expect([matches({ a: { b: 1 } }), matches({ a: { b: 2 } }), matches({ a: { b: 1 } })]).toEqual([true, false, true])
    expect(matches(reads.load({ a: { b: 1 } }))).toBe(true)
  })

  it('may be compiled after attributes were loaded', () => {
    const { reads, compile } = counted()
    const loaded = reads.load({ a: 1, b: 2 })
    expect(compile({ a: 1 }).matches(loaded)).toBe(true)
    expect(compile({ a: 1, b: 2 }).matches(loaded)).toBe(true)
  })
})
