import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import type { Reply } from '#sdk/delivery/send/outcome.js'
import { accept, batchesOf, expectNoViolation, fail, memoryStorage, mortal, page, type Sent } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

/** Hidden pages go on; those that vanish are killed right after. */
const ENDS = ['hidden', 'closed', 'killed', 'vanished'] as const
type End = (typeof ENDS)[number]

type Step =
  | { kind: 'capture'; tab: number; count: number; visitor: string; padding: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'collector'; mood: Mood }
  | { kind: 'jump'; ms: number }
  | { kind: 'end'; tab: number; end: End }
  | { kind: 'slots'; tab: number }
  | { kind: 'flush'; tab: number }

const MOODS = ['well', 'down', 'deaf', 'busy', 'garbled', 'refusing', 'strict', 'tight'] as const
type Mood = (typeof MOODS)[number]

const tab = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('capture' as const),
      tab,
      count: fc.integer({ min: 1, max: 12 }),
      visitor: fc.constantFrom('ann', 'bob'),
      padding: fc.constantFrom(0, 200, 1_500),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 15, 60, 400, 1_000, 2_000, 70_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('collector' as const), mood: fc.constantFrom(...MOODS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.constantFrom(-3_600_000, 3_600_000, 4 * 86_400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      tab,
      end: fc.constantFrom(...ENDS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), tab }) },
  // What a request for slots carries that can't wait for the store.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slots' as const), tab }) },
)

/** A collector that remembers what it stored, and knows a batch again by its id. */
function createCollector() {
  const stored = new Map<string, string>()
  const delivered = new Set<number>()
  const received: Sent[] = []
  let mood: Mood = 'well'
  const store = ({ body }: Sent, refused: (n: number) => boolean = () => false) => {
    const seen = stored.get(body.batchId)
    const text = JSON.stringify(body.batch)
    // What was sealed once is sent again as it was.
    if (seen) expect(text).toBe(seen)
    stored.set(body.batchId, text)
    const kept = body.batch.filter(({ properties }) => !refused(properties.n))
    for (const { properties } of kept) delivered.add(properties.n)
    const rejected = body.batch.filter(({ properties }) => refused(properties.n)).map(() => ({ code: 'too_deep' }))
    return accept(kept.length, { rejected })
  }
  const answers: Record<Mood, (sent: Sent) => Reply> = {
    well: sent => store(sent),
    down: () => undefined,
    // Stores it, and the connection drops before the answer.
    deaf: sent => {
      store(sent)
      return undefined
    },
    busy: () => fail(503, '2'),
    garbled: () => ({ status: 200, retryAfter: null, text: '<html>' }),
    refusing: sent => store(sent, n => n % 3 === 0),
    strict: () => fail(422),
    tight: sent => (sent.body.batch.length > 2 ? fail(413) : store(sent)),
  }
  return {
    delivered,
    received,
    be: (next: Mood) => {
      mood = next
    },
    answer(sent: Sent) {
      received.push(sent)
      return answers[mood](sent)
    },
  }
}

/**
 * Lives through steps in tabs of one browser, and then delivers what is left.
 *
 * @param count of tabs
 * @param latency milliseconds of each half of a transaction
 */
async function live(steps: Step[], count: number, latency: number) {
  const disk = { transact: createMemoryTables(), storage: memoryStorage() }
  const collector = createCollector()
  const options = { maxBatchBytes: 5_000, maxQueueMessages: 60 }
  const open = () => {
    const { transact, kill } = mortal(disk.transact, latency)
    const it = page({ transact, storage: disk.storage }, options)
    it.collector.answer = collector.answer
    return { ...it, kill, unwritten: new Set<number>() }
  }
  const tabs = Array.from({ length: count }, open)
  /** Captured by a page that was killed before they were written, as far as it knew. */
  const excused = new Set<number>()
  let captured = 0
  for (const step of steps) {
    if (step.kind === 'pass') await vi.advanceTimersByTimeAsync(step.ms)
    else if (step.kind === 'collector') collector.be(step.mood)
    else if (step.kind === 'jump') vi.setSystemTime(Date.now() + step.ms)
    else {
      const index = step.tab % count
      const tab = tabs[index]!
      const { sender, outbox, unwritten } = tab
      if (step.kind === 'capture') {
        const fresh = Array.from({ length: step.count }, () => captured++)
        for (const n of fresh) {
          tab.capture(n, step.visitor, 'x'.repeat(step.padding))
          unwritten.add(n)
        }
        void outbox.whenWritten().then(() => {
          for (const n of fresh) unwritten.delete(n)
        })
        await vi.advanceTimersByTimeAsync(0)
      } else if (step.kind === 'flush') void sender.flush()
      else if (step.kind === 'slots') {
        outbox.sealForExit(options.maxBatchBytes)
        unwritten.clear()
      } else {
        if (step.end !== 'killed') {
          sender.hide()
          unwritten.clear()
        }
        if (step.end === 'hidden') continue
        // A page makes way for the next one in its tab; what its end began in several tabs may go on a moment.
        if (step.end !== 'closed' || count === 1) {
          for (const n of unwritten) excused.add(n)
          tab.kill()
        }
        sender.stop()
        tabs[index] = open()
      }
    }
  }
  collector.be('well')
  await vi.advanceTimersByTimeAsync(3_700_000)
  for (const { sender } of tabs) {
    void sender.flush()
    await vi.advanceTimersByTimeAsync(60_000)
    sender.stop()
  }
  const last = page(disk, options)
  last.collector.answer = collector.answer
  await vi.advanceTimersByTimeAsync(3_700_000)
  await last.sender.flush()
  last.sender.stop()
  await last.store.trim(0, Infinity)
  expectNoViolation()
  const state = last.store.known()!
  const dropped = Object.values(state.ledger.dropped).reduce((sum, count) => sum + count, 0)
  expect(state).toMatchObject({ waiting: 0, bytes: 0 })
  const lost = [...excused].filter(n => !collector.delivered.has(n)).length
  expect(collector.delivered.size + dropped + lost).toBeGreaterThanOrEqual(captured)
  // Nothing is counted that was never captured. While one tab writes, another that ends may give the same numbers.
  expect(state.ledger.captured).toBeLessThanOrEqual(captured)
  if (!latency) expect([state.ledger.captured, lost]).toEqual([captured, 0])
  return { collector, captured, acknowledged: state.ledger.acknowledged, dropped, lost }
}

const steps = fc.array(step, { minLength: 5, maxLength: 60 })
/** Of half a transaction, in milliseconds: from none to longer than most of what comes in between. */
const latency = fc.constantFrom(0, 1, 30, 150, 400)

it('delivers each message or drops it with a counted reason, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(steps, latency, async (steps, latency) => {
      const { captured, acknowledged, dropped, lost } = await live(steps, 3, latency)
      // A page that ends doesn't know what another tab is sealing of it: that leaves twice, and is acknowledged twice.
      expect(acknowledged + dropped + lost).toBeGreaterThanOrEqual(captured)
    }),
    { numRuns: 200 },
  )
}, 120_000)

it('never sends a message in two batches, whenever its page ends', async () => {
  await fc.assert(
    fc.asyncProperty(steps, latency, async (steps, latency) => {
      const { collector } = await live(steps, 1, latency)
      const twice = [...batchesOf(collector.received)].filter(([, ids]) => ids.size > 1)
      expect(twice).toEqual([])
    }),
    { numRuns: 600 },
  )
}, 120_000)
