import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryTables } from '../../../sdk/delivery/memory-tables.js'
import type { Reply } from '../../../sdk/delivery/outcome.js'
import type { Transact } from '../../../sdk/delivery/tables.js'
import { accept, expectNoViolation, fail, memoryStorage, page, type Sent } from './harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

type Step =
  | { kind: 'capture'; tab: number; count: number; visitor: string; padding: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'collector'; mood: Mood }
  | { kind: 'jump'; ms: number }
  | { kind: 'restart'; tab: number; end: 'closed' | 'killed' }
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
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 400, 2_000, 70_000) }),
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
      kind: fc.constant('restart' as const),
      tab,
      end: fc.constantFrom('closed' as const, 'killed' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), tab }) },
)

/** A collector that remembers what it stored, and knows a batch again by its id. */
function createCollector() {
  const stored = new Map<string, string>()
  const delivered = new Set<number>()
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
    be: (next: Mood) => {
      mood = next
    },
    answer: (sent: Sent) => answers[mood](sent),
  }
}

/** Tables whose transactions end with their tab: what a killed page had not committed is gone. */
function mortal(transact: Transact): { transact: Transact; kill(): void } {
  let alive = true
  return {
    transact: body => (alive ? transact(body) : new Promise(() => {})),
    kill: () => {
      alive = false
    },
  }
}

it('delivers each message or drops it with a counted reason, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      const disk = { transact: createMemoryTables(), storage: memoryStorage() }
      const collector = createCollector()
      const options = { maxBatchBytes: 5_000, maxQueueMessages: 60 }
      const open = () => {
        const life = mortal(disk.transact)
        const it = page({ transact: life.transact, storage: disk.storage }, options)
        it.collector.answer = collector.answer
        return { ...it, kill: life.kill }
      }
      let tabs = [0, 1, 2].map(open)
      let captured = 0
      for (const step of steps) {
        if (step.kind === 'capture') {
          for (let i = 0; i < step.count; i++)
            tabs[step.tab]?.capture(captured++, step.visitor, 'x'.repeat(step.padding))
          // Captured is what was written a moment later: a page killed before that had no time.
          await vi.advanceTimersByTimeAsync(0)
        } else if (step.kind === 'pass') await vi.advanceTimersByTimeAsync(step.ms)
        else if (step.kind === 'collector') collector.be(step.mood)
        else if (step.kind === 'jump') vi.setSystemTime(Date.now() + step.ms)
        else if (step.kind === 'flush') void tabs[step.tab]?.sender.flush()
        else {
          const gone = tabs[step.tab]
          if (step.end === 'closed') gone?.sender.hide()
          else gone?.kill()
          gone?.sender.stop()
          tabs = tabs.map((it, index) => (index === step.tab ? open() : it))
        }
      }
      collector.be('well')
      await vi.advanceTimersByTimeAsync(3_700_000)
      for (const { sender } of tabs) {
        await sender.flush()
        sender.stop()
      }
      const last = page(disk, options)
      last.collector.answer = collector.answer
      await vi.advanceTimersByTimeAsync(3_700_000)
      await last.sender.flush()
      last.sender.stop()
      await last.store.trim(0, Infinity)
      expectNoViolation()
      const state = last.store.known()
      const dropped = Object.values(state?.ledger.dropped ?? {}).reduce((sum, count) => sum + count, 0)
      expect(state).toMatchObject({ waiting: 0, bytes: 0 })
      expect(collector.delivered.size + dropped).toBeGreaterThanOrEqual(captured)
      // Nothing is counted that was never captured.
      expect(state?.ledger.captured).toBe(captured)
      // What was being sealed when its page ended leaves twice, with the same message id, and is acknowledged twice.
      expect((state?.ledger.acknowledged ?? 0) + dropped).toBeGreaterThanOrEqual(captured)
    }),
    { numRuns: 200 },
  )
}, 120_000)
