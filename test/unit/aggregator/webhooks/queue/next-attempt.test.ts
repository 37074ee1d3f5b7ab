import { describe, expect, it } from 'vitest'
import { nextAttempt } from '#aggregator/webhooks/queue/next-attempt.js'

const S = 1_000
const bounds = { retryMs: 5 * S, longestRetryMs: 7_200 * S, giveUpMs: 259_200 * S }

/** Pauses until a signal is given up, in milliseconds, when each attempt takes no time. */
function pausesOf(random: number, retry = bounds, askedFor = 0): number[] {
  const pauses: number[] = []
  for (let now = 0, attempts = 1; ; attempts++) {
    const due = nextAttempt(retry, { attempts, since: 0 }, now, askedFor, random)
    if (due === undefined) return pauses
    pauses.push(due - now)
    now = due
  }
}

describe('the next attempt', () => {
  it('comes after pauses that double up to the longest', () => {
    const expected = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 7_200, 7_200]
    expect(pausesOf(0).slice(0, 13)).toEqual(expected.map(seconds => seconds * S))
  })

  it('comes earlier by up to a half at random, so that what failed together does not come back together', () => {
    expect(pausesOf(0.5)[0]).toBe(3_750)
    expect(pausesOf(1 - 1e-9)[0]).toBeCloseTo(2_500, 3)
  })

  it.each([0, 0.3, 0.999])('is made a last time when the time is over, and then never (%d)', random => {
    const pauses = pausesOf(random)
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(total).toBe(bounds.giveUpMs)
    expect(pauses.length).toBeGreaterThan(30)
    expect(pauses.length).toBeLessThan(100)
  })

  it('waits as long as the webhook asks for, and not longer than the longest pause', () => {
    expect(pausesOf(0, bounds, 60 * S).slice(0, 5)).toEqual([60, 60, 60, 60, 80].map(seconds => seconds * S))
    expect(Math.max(...pausesOf(0, bounds, 86_400 * S))).toBe(bounds.longestRetryMs)
  })

  it('is a last one where the time to give up is shorter than the first pause', () => {
    expect(pausesOf(0, { ...bounds, giveUpMs: S })).toEqual([5 * S])
  })
})
