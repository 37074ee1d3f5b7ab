import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Fate, type Sent, simulatedWarehouse } from './simulated-warehouse.js'

const DAY_MS = 24 * 3_600_000

/** How late a message is sent again at most, and still known. */
const LATEST_MS = 7 * DAY_MS - 3_600_000

const settle = () => new Promise(resolve => setImmediate(resolve))

const action = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('send' as const), n: fc.integer({ min: 1, max: 3 }), timed: fc.boolean() }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('again' as const), n: fc.nat(1000) }) },
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      n: fc.nat(20),
      fate: fc.oneof(
        { weight: 14, arbitrary: fc.constant<Fate>('done') },
        { weight: 1, arbitrary: fc.constantFrom<Fate>('refused', 'unheard', 'partial', 'noted') },
      ),
    }),
  },
  { weight: 14, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 10, max: 1_500 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('days' as const), n: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('takeover' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), n: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('backup' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), forget: fc.boolean() }) },
)

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => vi.useRealTimers())

it('has each message once, whoever writes, dies, sleeps, lands in part, is restored, or is sent again days later', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 40, maxLength: 400, size: 'max' }), async actions => {
      vi.setSystemTime(Date.UTC(2026, 0, 1))
      const here = simulatedWarehouse()
      const sent: { message: Sent; at: number }[] = []
      let writers = [here.startWriter()]
      for (const next of actions) {
        if (next.do === 'send') {
          const messages = Array.from({ length: next.n }, (_, index): Sent => {
            const time = new Date(Date.now() + index * 1000).toISOString()
            return { id: `m${sent.length + index}`, ...(next.timed && { time }) }
          })
          for (const message of messages) sent.push({ message, at: Date.now() })
          here.publish(messages)
        } else if (next.do === 'again') {
          const { message, at } = sent[next.n % Math.max(1, sent.length)] ?? {}
          if (message && Date.now() - at! < LATEST_MS) here.publish([message])
        } else if (next.do === 'step') {
          if (here.waiting() > 0) here.step(next.n, next.fate)
        } else if (next.do === 'pass') vi.advanceTimersByTime(next.ms)
        else if (next.do === 'days') vi.advanceTimersByTime(next.n * DAY_MS)
        else if (next.do === 'takeover') writers.push(here.startWriter())
        else if (next.do === 'kill') writers[next.n % writers.length]!.kill()
        else if (next.do === 'backup') here.backUp()
        else {
          // An operator who restores a table stops what writes to it.
          for (const writer of writers) writer.kill()
          here.restore(next.forget)
          writers = [here.startWriter()]
        }
        await settle()
      }

      for (let round = 0; round < 300; round++) {
        if (writers.every(({ ended }) => ended)) writers = [here.startWriter()]
        while (here.waiting() > 0) {
          here.step(0, 'done')
          await settle()
        }
        vi.advanceTimersByTime(1_100)
        await settle()
        if (round > 20 && here.waiting() === 0 && new Set(here.rows().map(({ key }) => key.id)).size === sent.length)
          break
      }
      for (const writer of writers) writer.kill()
      const found = here.rows().map(({ key }) => key.id)
      expect(found.sort()).toEqual(sent.map(({ message }) => message.id).sort())
    }),
    {
      seed: Number(process.env.WAREHOUSE_SEED ?? 5),
      numRuns: Number(process.env.WAREHOUSE_RUNS ?? 100),
      interruptAfterTimeLimit: 60_000,
    },
  )
}, 120_000)
