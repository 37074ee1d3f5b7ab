import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import { createResilientTables } from '#sdk/delivery/database/resilient-tables.js'
import type { State } from '#sdk/delivery/database/tables.js'
import { createLease } from '#sdk/delivery/send/lease.js'
import type { Reply } from '#sdk/delivery/send/outcome.js'
import { createTurns } from '#sdk/delivery/send/turns.js'
import { accept, expectNoViolation, fail, memoryStorage, page, pass, type Sent } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

const DROPPED = [400, 401, 403, 410, 422]
const RETRIED = [408, 429, 500, 502, 503, 504]

type Answer = { status: number; retryAfter: number | undefined }
/** Status 0: nothing came back. */
const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.constantFrom(0, 0, 200, ...DROPPED, ...RETRIED, ...RETRIED),
  retryAfter: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
})

const replyTo = ({ status, retryAfter }: Answer, { body }: Sent): Reply => {
  if (!status) return undefined
  return status === 200 ? accept(body.batch.length) : fail(status, retryAfter === undefined ? null : String(retryAfter))
}

describe('whatever the collector answers, in any order', () => {
  it('retries a batch unchanged until it is acknowledged or its end is counted by reason, and keeps the order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }),
        async (answers, captures) => {
          const it = page()
          const texts = new Map<string, string>()
          const ended = new Map<string, number>()
          const ends: Record<string, number> = {}
          const script = [...answers]
          it.collector.answer = sent => {
            const { batchId, batch } = sent.body
            const text = JSON.stringify(batch)
            expect(texts.get(batchId) ?? text).toBe(text)
            texts.set(batchId, text)
            // No request is made again for a batch whose end is known.
            expect(ended.has(batchId)).toBe(false)
            const next = script.shift() ?? { status: 200, retryAfter: undefined }
            if (next.status === 200 || DROPPED.includes(next.status)) {
              ended.set(batchId, next.status)
              if (next.status !== 200) {
                const reason = `http_${next.status}`
                ends[reason] = (ends[reason] ?? 0) + batch.length
              }
            }
            return replyTo(next, sent)
          }
          let captured = 0
          for (const count of captures) {
            for (let i = 0; i < count; i++) it.capture(captured++)
            await pass(1_500)
          }
          await pass(90 * 3_600_000)
          it.sender.stop()
          expectNoViolation()
          const order = [...texts.values()].flatMap(text =>
            (JSON.parse(text) as Sent['body']['batch']).map(({ properties }) => properties.n),
          )
          expect(order).toEqual(Array.from({ length: captured }, (_, n) => n))
          const { ledger, waiting } = it.store.known() as State
          expect(waiting).toBe(0)
          expect(ledger.dropped).toEqual(ends)
          const dropped = Object.values(ends).reduce((sum, count) => sum + count, 0)
          expect(ledger).toMatchObject({ captured, sent: captured, acknowledged: captured - dropped })
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it('never tries before Retry-After has passed, and never storms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 30 }), async answers => {
        const it = page()
        let earliest = 0
        let attempts = 0
        it.collector.answer = sent => {
          expect(Date.now()).toBeGreaterThanOrEqual(earliest)
          const next = answers[attempts++ % answers.length] as Answer
          const retried = next.status !== 200 && !DROPPED.includes(next.status)
          earliest = retried && next.status && next.retryAfter ? Date.now() + next.retryAfter * 1_000 : 0
          return replyTo(next, sent)
        }
        const seconds = 600
        for (let second = 0; second < seconds; second++) {
          it.capture()
          await pass(1_000)
        }
        it.sender.stop()
        expectNoViolation()
        // At most one for what was captured in a second, and one between two of them for a retry.
        expect(attempts).toBeLessThanOrEqual(seconds * 2)
        // Batches that fail one after the other wait ever longer: ten minutes have room for few.
        if (answers.every(({ status }) => !status)) expect(attempts).toBeLessThanOrEqual(30)
      }),
      { numRuns: 30 },
    )
  }, 120_000)
})

/** Web Locks of one browser, as far as they are used: one holder at a time, in the order of asking. */
function createLocks(): LockManager {
  let last: Promise<unknown> = Promise.resolve()
  const request = (_name: string, body: () => Promise<void>) => {
    const mine = last.then(body)
    last = mine.catch(() => {})
    return mine
  }
  return { request } as unknown as LockManager
}

describe('tabs of one browser', () => {
  for (const [how, turns] of [
    ['Web Locks', () => createLocks()],
    ['a lease', () => undefined],
  ] as const)
    it(`send one at a time by ${how}, each message once`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ tab: fc.nat({ max: 2 }), count: fc.integer({ min: 1, max: 30 }), ms: fc.nat(3_000) }), {
            minLength: 1,
            maxLength: 20,
          }),
          fc.array(fc.constantFrom(1, 40, 900), { minLength: 1, maxLength: 5 }),
          async (steps, latencies) => {
            const disk = { transact: createMemoryTables(), storage: memoryStorage() }
            const locks = turns()
            let inFlight = 0
            let requests = 0
            const delivered: number[] = []
            const answer = async (sent: Sent) => {
              expect(++inFlight).toBe(1)
              await new Promise(resolve => setTimeout(resolve, latencies[requests++ % latencies.length]))
              inFlight--
              delivered.push(...sent.body.batch.map(({ properties }) => properties.n))
              return accept(sent.body.batch.length)
            }
            const tabs = [0, 1, 2].map(() => {
              const it = page(disk, {}, false, store =>
                createTurns('queue', locks, async () => createLease(store, Date.now)),
              )
              it.collector.answer = answer
              return it
            })
            let captured = 0
            for (const { tab, count, ms } of steps) {
              for (let i = 0; i < count; i++) tabs[tab]?.capture(captured++)
              await pass(ms)
            }
            await pass(60_000)
            for (const { sender } of tabs) sender.stop()
            expectNoViolation()
            expect(delivered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: captured }, (_, n) => n))
          },
        ),
        { numRuns: 60 },
      )
    }, 120_000)
})

describe('whatever becomes of the browser’s storage', () => {
  it('delivers each message or counts it', async () => {
    const trouble = fc.constantFrom('none', 'none', 'none', 'fails', 'closed', 'hangs', 'unanswered', 'blocked')
    await fc.assert(
      fc.asyncProperty(
        fc.array(trouble, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
        async (troubles, captures) => {
          const disk = createMemoryTables()
          const script = [...troubles]
          const tables = createResilientTables(
            async onClosed => {
              if (script[0] === 'blocked') throw new Error(script.shift())
              return {
                close() {},
                transact: async body => {
                  const trouble = script.shift() ?? 'none'
                  if (trouble === 'closed') onClosed()
                  if (trouble === 'hangs') return new Promise(() => {})
                  if (trouble === 'fails' || trouble === 'closed') throw new Error(trouble)
                  const result = await disk(body)
                  // It happened, but the sender does not hear of it.
                  if (trouble === 'unanswered') throw new Error(trouble)
                  return result
                },
              }
            },
            () => it.store.known(),
            async () => createMemoryTables,
            () => {},
          )
          const storage = memoryStorage()
          const it = page({ transact: tables.transact, storage })
          const delivered = new Set<number>()
          const answer = ({ body }: Sent) => {
            for (const { properties } of body.batch) delivered.add(properties.n)
            return accept(body.batch.length)
          }
          it.collector.answer = answer
          let captured = 0
          for (const count of captures) {
            for (let i = 0; i < count; i++) it.capture(captured++)
            await pass(1_500)
          }
          await pass(120_000)
          it.sender.stop()
          // The next page finds whatever stayed behind.
          const next = page({ transact: disk, storage })
          next.collector.answer = answer
          await pass(60_000)
          next.sender.stop()
          expect(delivered.size).toBe(captured)
        },
      ),
      { numRuns: 100 },
    )
  }, 120_000)
})
