import { describe, expect, it } from 'vitest'
import { openLoop } from '#bench/support/open-loop.js'
import { virtualClock } from './virtual-clock.js'

const SCHEDULE = { perSecond: 100, seconds: 0.1 }

describe('openLoop', () => {
  it('fires at the rate it was given', async () => {
    const clock = virtualClock()
    const fired: number[] = []
    await openLoop(SCHEDULE, async () => void fired.push(clock.now() - 1_000), clock)
    expect(fired).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
  })

  it('makes up for lost time, and tells each call when it was meant to happen', async () => {
    const clock = virtualClock(35)
    const calls: [number, number][] = []
    await openLoop(SCHEDULE, async (n, intendedAt) => void calls.push([n, intendedAt - 1_000]), clock)
    expect(calls).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(n => [n, n * 10]))
  })

  it('does not wait for answers before it goes on, but does at the end', async () => {
    const clock = virtualClock()
    const pending: (() => void)[] = []
    let ended = false
    const loop = openLoop(SCHEDULE, () => new Promise<void>(resolve => pending.push(resolve)), clock).then(() => {
      ended = true
    })
    await new Promise(resolve => setTimeout(resolve, 0))
    expect(pending).toHaveLength(10)
    expect(ended).toBe(false)
    for (const answer of pending) answer()
    await loop
  })

  it('fails when a call fails', async () => {
    await expect(openLoop(SCHEDULE, () => Promise.reject(new Error('refused')), virtualClock())).rejects.toThrow(
      'refused',
    )
  })
})
