import { expect, it } from 'vitest'
import type { EngineResult } from '#clickhouse/engine/connections/engine-connection.js'
import { startPulse } from '#clickhouse/engine/running/pulse.js'

const never = { everyMs: 2 ** 30, deadlineMs: 20 }
const result = {} as EngineResult

it('asks once for all who want to know at a time, and gives up on an engine that does not answer', async () => {
  let asked = 0
  let answer = (_result: EngineResult) => {}
  const connection = {
    queryAsync: () => {
      asked++
      return new Promise<EngineResult>(resolve => {
        answer = resolve
      })
    },
  }
  const pulse = startPulse(connection, () => {}, never)
  expect(await Promise.all([pulse.beats(), pulse.beats()])).toEqual([false, false])
  // A question that comes now need not wait for one that is older than its deadline.
  expect(await pulse.beats()).toBe(false)
  expect(asked).toBe(1)
  const next = startPulse(connection, () => {}, { ...never, deadlineMs: 60_000 })
  const waiting = next.beats()
  answer(result)
  expect(await waiting).toBe(true)
  pulse.stop()
  next.stop()
})

it('says once that the engine is of no use any more; any other error is a sign of life', async () => {
  const fatal = 'Code: 236. DB::Exception: The server is shutting down due to a fatal error. (ABORTED)'
  let message = 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)'
  const told: string[] = []
  const pulse = startPulse(
    { queryAsync: () => Promise.reject(new Error(message)) },
    error => told.push(error.message),
    { ...never, deadlineMs: 60_000 },
  )
  expect(await pulse.beats()).toBe(true)
  message = `Code: 395. DB::Exception: ${fatal}`
  expect(await pulse.beats()).toBe(true)
  message = fatal
  expect([await pulse.beats(), await pulse.beats()]).toEqual([false, false])
  expect(told).toEqual([fatal])
  pulse.stop()
})
