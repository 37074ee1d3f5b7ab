import { describe, expect, it } from 'vitest'
import { createRestarts } from '#aggregator/learning/restarts.js'
import { heapMbFor } from '#aggregator/learning/thread/learning-thread.js'

describe('learning that fails', () => {
  it('begins again later each time, and at once again after it went well', () => {
    const clock = { now: 0 }
    const restarts = createRestarts(() => clock.now)
    const fail = (afterMs: number) => {
      restarts.begin()
      clock.now += afterMs
      return restarts.pauseMs()
    }
    expect(Array.from({ length: 8 }, () => fail(20_000) / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    expect(fail(3_600_000)).toBe(1_000)
    expect(fail(20_000)).toBe(2_000)
  })

  it('has a heap for its sums and for them as text', () => {
    expect(heapMbFor(512 * 2 ** 20)).toBe(1_280)
  })
})
