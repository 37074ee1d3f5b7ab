import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTimeQueue } from '#aggregator/profiles/timers/time-queue.js'

describe('a queue by time', () => {
  it('gives what is due, earliest first, and keeps the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(50), (times, now) => {
        const queue = createTimeQueue<number>()
        for (const at of times) queue.add(at, at)
        const taken: number[] = []
        for (let item = queue.take(now); item !== undefined; item = queue.take(now)) taken.push(item)
        expect(taken).toEqual(times.filter(at => at <= now).sort((a, b) => a - b))
        expect(queue.size).toBe(times.length - taken.length)
      }),
    )
  })
})
