import { describe, expect, it } from 'vitest'
import { watchRows } from '#bench/freshness/watch-rows.js'

/** A clock in which each sleep and each question takes 10 ms, and lets others run. */
function createStage() {
  let now = 0
  const tick = () => new Promise(resolve => setTimeout(resolve, 0))
  const visible = new Set<string>()
  const asked: string[][] = []
  const clock = {
    now: () => now,
    async sleep() {
      await tick()
      now += 10
    },
  }
  const visibleOf = async (ids: string[]) => {
    asked.push(ids)
    await tick()
    now += 10
    return ids.filter(id => visible.has(id))
  }
  return { clock, visibleOf, visible, asked }
}

describe('watchRows', () => {
  it('measures until the answer that first names a message, and asks for it no more', async () => {
    const { clock, visibleOf, visible, asked } = createStage()
    const rows = watchRows(visibleOf, { clock })
    rows.add('early', clock.now())
    rows.add('late', clock.now())
    visible.add('early')
    while (rows.latencies.length < 1) await new Promise(resolve => setTimeout(resolve, 0))
    expect(rows.waitingFor()).toBe(1)
    visible.add('late')
    while (rows.latencies.length < 2) await new Promise(resolve => setTimeout(resolve, 0))
    await rows.stop()
    expect(rows.waitingFor()).toBe(0)
    expect(rows.latencies[1]).toBeGreaterThan(rows.latencies[0]!)
    expect(asked.at(-1)).toEqual(['late'])
    expect(rows.betweenAnswers.every(ms => ms === 20)).toBe(true)
  })

  it('asks nothing while nothing is awaited', async () => {
    const { clock, visibleOf, asked } = createStage()
    const rows = watchRows(visibleOf, { clock })
    for (let n = 0; n < 10; n++) await new Promise(resolve => setTimeout(resolve, 0))
    await rows.stop()
    expect(asked).toEqual([])
  })
})
