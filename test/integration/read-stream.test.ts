import { connectNats, createLog, type Nats, readStream, readWhole } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startNatsServer } from '../support/nats-server.js'
import { until } from '../support/until.js'

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats
const log = createLog('test')
log.level = 'silent'

beforeAll(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
})
afterAll(async () => {
  await nats?.close()
  await server?.stop()
})

afterEach(() => void vi.restoreAllMocks())

const makeStream = (name: string) => nats.manager.streams.add({ name, subjects: [name.toLowerCase()] })

describe('reading a stream', () => {
  it('goes on after the server has dropped its place', async () => {
    await makeStream('DROPPED')
    const reader = readStream(nats, 'DROPPED', { from: 1, log })
    const received: number[] = []
    const reading = (async () => {
      for await (const { seq } of reader) received.push(seq)
    })()
    await nats.js.publish('dropped', 'one')
    const arrived = (seq: number) =>
      until(
        `message ${seq} arrives`,
        () => received.at(-1),
        last => last === seq,
        { timeoutMs: 20_000 },
      )
    await arrived(1)
    for (const { name } of await nats.manager.consumers.list('DROPPED').next())
      await nats.manager.consumers.delete('DROPPED', name)
    await nats.js.publish('dropped', 'two')
    await arrived(2)
    await nats.js.publish('dropped', 'three')
    await arrived(3)
    expect(received).toEqual([1, 2, 3])
    await reader.stop()
    await reading
  })

  it('begins nothing anew while the messages that it has are not taken', async () => {
    await makeStream('SLOW')
    const reader = readStream(nats, 'SLOW', { from: 1, buffer: 2, log })
    for (let n = 0; n < 6; n++) await nats.js.publish('slow', String(n))
    const messages = reader[Symbol.asyncIterator]()
    expect((await messages.next()).value.seq).toBe(1)
    const named = async () => (await nats.manager.consumers.list('SLOW').next()).map(({ name }) => name)
    const before = await named()
    await new Promise(resolve => setTimeout(resolve, 8_000))
    for (let seq = 2; seq <= 6; seq++) expect((await messages.next()).value.seq).toBe(seq)
    expect(await named()).toEqual(before)
    await Promise.all([reader.stop(), messages.next()])
  })

  it('ends when it is stopped before it has begun', async () => {
    await makeStream('STOPPED')
    const reader = readStream(nats, 'STOPPED', { from: 1, log })
    const { request } = nats.connection
    vi.spyOn(nats.connection, 'request').mockImplementation(async (subject, ...rest) => {
      const answer = await request.call(nats.connection, subject, ...rest)
      if (subject.includes('CONSUMER.CREATE')) await reader.stop()
      return answer
    })
    const { done } = await reader[Symbol.asyncIterator]().next()
    expect(done).toBe(true)
  })

  it('goes on when the server was started again just before it began', async () => {
    await makeStream('RESTARTED')
    await nats.js.publish('restarted', 'one')
    const { request } = nats.connection
    let restarts = 0
    vi.spyOn(nats.connection, 'request').mockImplementation(async (subject, ...rest) => {
      const answer = await request.call(nats.connection, subject, ...rest)
      if (!subject.includes('CONSUMER.CREATE') || restarts++ > 0) return answer
      const again = new Promise<void>(resolve => {
        const forget = nats.onReconnect(() => {
          forget()
          resolve()
        })
      })
      await server.kill()
      await server.start()
      await again
      return answer
    })
    const reader = readStream(nats, 'RESTARTED', { from: 1, log })
    const messages = reader[Symbol.asyncIterator]()
    const first = await messages.next()
    expect(first.value.string()).toBe('one')
    await Promise.all([reader.stop(), messages.next()])
  }, 30_000)
})

describe('reading once what a stream has of a subject', () => {
  it('ends where the last message is deleted meanwhile, and leaves others out', async () => {
    await nats.manager.streams.add({ name: 'NOTES', subjects: ['notes.*'] })
    const at: Record<string, number> = {}
    for (const [name, subject] of Object.entries({ one: 'notes.1', other: 'notes.2', two: 'notes.1', last: 'notes.1' }))
      at[name] = (await nats.js.publish(subject, name)).seq
    const read: number[] = []
    for await (const { seq } of readWhole(nats, 'NOTES', log, { subject: 'notes.1', buffer: 1 })) {
      read.push(seq)
      // The server has said by now that one more is to come.
      if (seq === at.two) await nats.manager.streams.deleteMessage('NOTES', at.last!)
    }
    expect(read).toEqual([at.one, at.two])
    for await (const { seq } of readWhole(nats, 'NOTES', log, { subject: 'notes.1', from: at.two! })) read.push(seq)
    expect(read).toEqual([at.one, at.two, at.two])
    for await (const message of readWhole(nats, 'NOTES', log, { subject: 'notes.3' })) expect(message).toBeUndefined()
  })
})
