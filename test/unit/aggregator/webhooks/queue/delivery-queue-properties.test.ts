import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDeliveryQueue } from '#aggregator/webhooks/queue/delivery-queue.js'
import { nextAttempt } from '#aggregator/webhooks/queue/next-attempt.js'
import type { Pending } from '#aggregator/webhooks/queue/pending.js'

const RETRY = { retryMs: 10, longestRetryMs: 80, giveUpMs: 1_000 }

const pendingOf = (seq: number, lane: number, due: number): Pending => ({
  ...{ seq, index: 0, signalId: `s${seq}`, signal: 'left', lane: `v${lane}`, attempts: 0 },
  ...{ due, since: due, status: 0, error: '', at: due },
})

/** What happens in a step: a signal of a visitor arrives, time passes, or an attempt that is under way ends. */
type Step = { arrives: number } | { passes: number } | { ends: number; well: boolean }

const steps = fc.array(
  fc.oneof(
    fc.record({ arrives: fc.nat(3) }),
    fc.record({ passes: fc.nat(60) }),
    fc.record({ ends: fc.nat(5), well: fc.boolean() }),
  ),
  { maxLength: 120 },
)

/** Runs the steps, then lets every attempt end well. Returns what was delivered or given up, in that order. */
function run(made: Step[], atOnce: number) {
  const queue = createDeliveryQueue()
  const underWay: Pending[] = []
  const ended: { seq: number; lane: string; well: boolean }[] = []
  let now = 0
  let seq = 0
  const take = () => {
    while (underWay.length < atOnce) {
      const pending = queue.take(now)
      if (!pending) return
      expect(underWay.map(({ lane }) => lane)).not.toContain(pending.lane)
      expect(pending.due).toBeLessThanOrEqual(now)
      underWay.push(pending)
    }
  }
  const end = (index: number, well: boolean) => {
    const [pending] = underWay.splice(index % Math.max(1, underWay.length), 1)
    if (!pending) return
    const attempts = pending.attempts + 1
    const due = well ? undefined : nextAttempt(RETRY, { attempts, since: pending.since }, now, 0, 0)
    if (due !== undefined) return queue.putBack(pending, { attempts, due })
    queue.remove(pending)
    ended.push({ seq: pending.seq, lane: pending.lane, well })
  }
  for (const step of made) {
    if ('arrives' in step) expect(queue.add(pendingOf(++seq, step.arrives, now))).toBe(true)
    else if ('passes' in step) now += step.passes
    else end(step.ends, step.well)
    take()
  }
  while (queue.size > 0) {
    now += 100
    take()
    for (const _ of [...underWay]) end(0, true)
  }
  return { ended, arrived: seq }
}

describe('the queue of a webhook', () => {
  it('delivers each signal or gives it up, once, and those of a visitor in their order', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (made, atOnce) => {
        const { ended, arrived } = run(made, atOnce)
        expect(ended.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
          Array.from({ length: arrived }, (_, i) => i + 1),
        )
        for (const lane of new Set(ended.map(each => each.lane))) {
          const ofLane = ended.filter(each => each.lane === lane).map(({ seq }) => seq)
          expect(ofLane).toEqual(ofLane.toSorted((a, b) => a - b))
        }
      }),
    )
  })

  it('lets a visitor whose delivery fails hold up no other visitor', () => {
    const queue = createDeliveryQueue()
    for (const [seq, lane] of [
      [1, 1],
      [2, 1],
      [3, 2],
    ] as const)
      queue.add(pendingOf(seq, lane, 0))
    const first = queue.take(0)!
    expect(first.seq).toBe(1)
    queue.putBack(first, { attempts: 1, due: 1_000 })
    expect(queue.take(0)?.seq).toBe(3)
    expect(queue.take(999)).toBeUndefined()
    expect(queue.take(1_000)?.seq).toBe(1)
  })

  it('has a signal once, and puts one that is replayed before later ones of its visitor', () => {
    const queue = createDeliveryQueue()
    expect([queue.add(pendingOf(5, 1, 0)), queue.add(pendingOf(5, 1, 0))]).toEqual([true, false])
    queue.add(pendingOf(2, 1, 0))
    expect(queue.take(0)?.seq).toBe(2)
    queue.add(pendingOf(1, 1, 0))
    queue.remove(pendingOf(2, 1, 0))
    expect([queue.take(0)?.seq, queue.size, queue.oldest]).toEqual([1, 2, 0])
  })
})
