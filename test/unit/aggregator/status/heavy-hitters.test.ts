import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { heavyHitters } from '#aggregator/status/heavy-hitters.js'

describe('heavy hitters', () => {
  it('hold every key above its share, and bound its weight from both sides, whatever comes', () => {
    const stream = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 400,
    })
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 12 }), (entries, capacity) => {
        const sketch = heavyHitters(capacity)
        const exact = new Map<string, number>()
        for (const [number, weight] of entries) {
          const key = `k${number}`
          sketch.add(key, weight)
          exact.set(key, (exact.get(key) ?? 0) + weight)
        }
        const found = new Map(sketch.top(capacity).map(entry => [entry.key, entry]))
        expect(found.size).toBeLessThanOrEqual(capacity)
        expect(sketch.total).toBe([...exact.values()].reduce((a, b) => a + b, 0))
        for (const [key, { weight, error }] of found) {
          expect(weight).toBeGreaterThanOrEqual(exact.get(key)!)
          expect(weight - error).toBeLessThanOrEqual(exact.get(key)!)
        }
        for (const [key, weight] of exact) if (weight > sketch.total / capacity) expect(found.has(key)).toBe(true)
      }),
    )
  })
})
