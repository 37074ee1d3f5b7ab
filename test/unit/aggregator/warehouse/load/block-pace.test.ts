import { describe, expect, it } from 'vitest'
import { createBlockPace } from '#aggregator/warehouse/load/block-pace.js'

describe('the pace of blocks', () => {
  it('waits as long as was set, while inserting takes little', () => {
    const pace = createBlockPace(300)
    expect(pace.maxAgeMs).toBe(300)
    for (let block = 0; block < 50; block++) pace.inserted(20)
    expect(pace.maxAgeMs).toBe(300)
  })

  it('waits ten times as long as inserting took lately, at most a second', () => {
    const pace = createBlockPace(300)
    for (let block = 0; block < 50; block++) pace.inserted(60)
    expect(pace.maxAgeMs).toBeCloseTo(600, 0)
    pace.inserted(30_000)
    expect(pace.maxAgeMs).toBe(1_000)
  })

  it('follows what inserting takes, in both directions', () => {
    const pace = createBlockPace(300)
    pace.inserted(2_000)
    expect(pace.maxAgeMs).toBe(1_000)
    for (let block = 0; block < 20; block++) pace.inserted(20)
    expect(pace.maxAgeMs).toBe(300)
  })

  it('never ends blocks before the time that was set', () => {
    const pace = createBlockPace(2_000)
    for (let block = 0; block < 50; block++) pace.inserted(150)
    expect(pace.maxAgeMs).toBe(2_000)
  })
})
