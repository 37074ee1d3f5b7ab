import { expect, it } from 'vitest'
import { createLane } from '#clickhouse/engine/queue/lane.js'

const never = new AbortController().signal

it('a lane lets so many in, queues so many, and refuses the rest', async () => {
  const lane = createLane(1, 1)
  const leave = await lane.enter(never)
  const second = lane.enter(never)
  await expect(lane.enter(never)).rejects.toMatchObject({ code: 202 })
  leave()
  leave()
  const leaveSecond = await second
  const third = lane.enter(never)
  let entered = false
  void third.then(() => {
    entered = true
  })
  await Promise.resolve()
  expect(entered).toBe(false)
  leaveSecond()
  await third
})

it('who gives up waiting frees the place in the queue', async () => {
  const lane = createLane(1, 1)
  const leave = await lane.enter(never)
  const impatient = new AbortController()
  const waiting = lane.enter(impatient.signal)
  impatient.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
  const next = lane.enter(never)
  leave()
  await next
  await expect(lane.enter(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
})
