import { describe, expect, it } from 'vitest'
import { createMessageLimits, type MessageRates } from '#collector/safety/message-limits.js'
import { createVisitorFlow, type VisitorFlow } from '#collector/safety/visitor-flow.js'

const AT_REST = 0.1

/** A flow, and what lets time pass while slots take so long. */
function world(slowdown = 2) {
  let time = 0
  const now = () => time
  const flow = createVisitorFlow(slowdown, now)
  return {
    flow,
    now,
    pass(seconds: number, { slotMs = 2, perSecond = 100, isWanted = false } = {}) {
      for (let n = 0; n < seconds * 100; n++) {
        time += 10
        if (isWanted) flow.wanted()
        if (n % (100 / perSecond) === 0) flow.answered(slotMs)
        flow.share()
      }
    },
  }
}

describe('the flow of new visitors', () => {
  it('begins small, and grows to all that the limits allow while it is used and slots are as fast as usual', () => {
    const { flow, pass } = world()
    expect(flow.share()).toBe(AT_REST)
    pass(5)
    expect(flow.share()).toBe(AT_REST)
    pass(2, { isWanted: true })
    expect(flow.share()).toBeGreaterThan(AT_REST)
    pass(20, { isWanted: true })
    expect(flow.share()).toBe(1)
  })

  it('shrinks while slots are slow, to a least share, and recovers', () => {
    const { flow, pass } = world()
    pass(20, { isWanted: true })
    pass(1, { isWanted: true, slotMs: 5 })
    expect(flow.share()).toBeLessThan(0.5)
    pass(20, { isWanted: true, slotMs: 5 })
    expect(flow.share()).toBe(0.05)
    pass(20)
    expect(flow.share()).toBe(AT_REST)
  })

  it('looks at few slots together, and grows where there are none', () => {
    const few = world()
    few.pass(10, { perSecond: 2 })
    few.pass(20, { perSecond: 2, slotMs: 50, isWanted: true })
    expect(few.flow.share()).toBe(0.05)
    let time = 0
    const none = createVisitorFlow(2, () => time)
    for (; time < 20_000; time += 50) {
      none.wanted()
      none.share()
    }
    expect(none.share()).toBe(1)
  })

  it('takes for usual what lasts', () => {
    const { flow, pass } = world()
    pass(10)
    pass(3_000, { slotMs: 5 })
    pass(20, { slotMs: 5, isWanted: true })
    expect(flow.share()).toBe(1)
  })

  it('is free without a bound', () => {
    const { flow, pass } = world(0)
    pass(10, { slotMs: 1_000, isWanted: true })
    expect(flow.share()).toBe(1)
  })
})

describe('new visitors', () => {
  const rates: MessageRates = {
    addressMessagesPerSecond: 0,
    addressVisitorsPerSecond: 0,
    siteMessagesPerSecond: 0,
    siteVisitorsPerSecond: 1_000,
    secretMessagesPerSecond: 0,
    secretVisitorsPerSecond: 0,
  }
  const site = (siteId: string) => ({ siteId, name: '', writeKeys: [], allowedOrigins: [], debug: false })

  /** Sends batches of 50 new visitors, ten times a second for so long. Returns which were rejected. */
  function flood(flow: VisitorFlow, at: { now: () => number; pass: (seconds: number) => void }, siteId = 'flooded') {
    const limits = createMessageLimits(rates, at.now, flow)
    const refused: number[] = []
    const send = (id: string, first: number, count: number, key: 'public' | 'secret' = 'public') => {
      const admission = limits.admit({ address: '192.0.2.1', site: site(id), key }, 100)
      const names = Array.from({ length: count }, (_, n) => `v${first + n}`)
      return admission.pace(admission.pay(count, names))
    }
    for (let n = 0; n < 200; n++) {
      at.pass(0.1)
      try {
        send(siteId, n * 50, 50)
      } catch {
        refused.push(n)
      }
    }
    return { refused, send }
  }

  it('of a site that brings many wait, then are rejected, while slots are slow; other sites and known visitors are not', () => {
    const { flow, now, pass } = world()
    pass(10)
    const { refused, send } = flood(flow, { now, pass: seconds => pass(seconds, { slotMs: 5 }) })
    expect(refused.length).toBeGreaterThan(100)
    expect(() => send('flooded', 100_000, 1)).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfter: expect.any(Number) }),
    )
    expect(send('flooded', 0, 1)).toBeGreaterThanOrEqual(0)
    expect(send('quiet', 0, 1)).toBe(0)
    expect(send('flooded', 200_000, 1, 'secret')).toBe(0)
  })

  it('are let through within the limits after some seconds, while slots are as fast as usual', () => {
    const { flow, now, pass } = world()
    pass(10)
    expect(flood(flow, { now, pass }).refused.filter(n => n >= 150)).toEqual([])
  })
})
