import { describe, expect, it } from 'vitest'
import { createSkewTracker } from '#aggregator/status/skew-tracker.js'

describe('the spread of messages', () => {
  it('counts visitors and partitions of the last minutes, and forgets what is older', () => {
    let now = 0
    const spread = createSkewTracker(() => now)
    spread.add(3, 'shop', 'server', 40)
    spread.add(1, 'shop', 'v1', 2)
    expect(spread.read()).toMatchObject({
      messages: 42,
      partitions: [
        [1, 2],
        [3, 40],
      ],
      keys: [
        { siteId: 'shop', visitorId: 'server', messages: 40, error: 0 },
        { siteId: 'shop', visitorId: 'v1', messages: 2 },
      ],
    })
    now = 200_000
    spread.add(3, 'shop', 'server', 10)
    expect(spread.read()).toMatchObject({ windowSeconds: 200, messages: 52, keys: [{ messages: 50 }, {}] })
    now = 360_000
    expect(spread.read()).toMatchObject({ messages: 10, keys: [{ visitorId: 'server', messages: 10 }] })
    now = 2_000_000
    expect(spread.read()).toMatchObject({ messages: 0, keys: [], partitions: [] })
  })
})
