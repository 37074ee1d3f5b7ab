import { connectNats, createLog } from '@slotstream/runtime'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startNatsServer } from '../support/nats-server.js'
import { until } from '../support/until.js'

it('a process connects to NATS again, though its clock was an hour ahead when it tried and is set right since', async () => {
  const server = await startNatsServer()
  const log = createLog('test')
  log.level = 'silent'
  const nats = await connectNats(server.url, 'test', log)
  onTestFinished(async () => {
    vi.restoreAllMocks()
    await nats.close()
    await server.stop()
  })
  let tries = 0
  void (async () => {
    for await (const { type } of nats.connection.status()) if (type === 'reconnecting') tries++
  })()
  const right = Date.now
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => right() + 3_600_000)
  await server.kill()
  await until(
    'it is lost',
    () => nats.connected,
    connected => !connected,
  )
  await until(
    'it tries, in vain',
    () => tries,
    count => count > 2,
  )
  clock.mockRestore()
  await server.start()
  await until('it is there again', () => nats.connected, Boolean)
  expect(await nats.connection.rtt()).toBeGreaterThanOrEqual(0)
})
