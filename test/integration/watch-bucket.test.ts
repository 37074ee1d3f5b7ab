import { Kvm } from '@nats-io/kv'
import { bucketKeys, connectNats, createLog, type Nats, watchBucket } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
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

describe('a watch of a bucket', () => {
  it('has caught up when an entry was replaced while it began', async () => {
    const bucket = await new Kvm(nats.js).create('replaced', { history: 1 })
    for (const key of ['a', 'b', 'c']) await bucket.put(key, 'old')
    const { request } = nats.connection
    const spy = vi.spyOn(nats.connection, 'request').mockImplementation(async (subject, ...rest) => {
      const answer = await request.call(nats.connection, subject, ...rest)
      if (subject.includes('CONSUMER.CREATE')) await bucket.put('c', 'new')
      return answer
    })
    const seen = new Map<string, string>()
    const watching = await watchBucket(nats, bucket, entry => seen.set(entry.key, entry.string()), log)
    spy.mockRestore()
    watching.stop()
    expect(Object.fromEntries(seen)).toEqual({ a: 'old', b: 'old', c: 'new' })
  })

  it('has caught up at once in an empty bucket, and hears of what comes', async () => {
    const bucket = await new Kvm(nats.js).create('empty', { history: 1 })
    let hear = (_: string) => {}
    const heard = new Promise<string>(resolve => (hear = resolve))
    const watching = await watchBucket(nats, bucket, entry => hear(entry.key), log)
    await bucket.put('first', '1')
    expect(await heard).toBe('first')
    watching.stop()
  })

  it('hears of what comes after the server has dropped it', async () => {
    const bucket = await new Kvm(nats.js).create('dropped', { history: 1 })
    const heard: string[] = []
    const watching = await watchBucket(nats, bucket, entry => heard.push(entry.key), log)
    for (const { name } of await nats.manager.consumers.list('KV_dropped').next())
      await nats.manager.consumers.delete('KV_dropped', name)
    await bucket.put('later', '1')
    await until(
      'it is heard',
      () => heard.at(-1),
      key => key === 'later',
    )
    watching.stop()
  })
})

describe('the keys of a bucket', () => {
  it('are listed by a filter, and an error when the server stops telling them', async () => {
    const bucket = await new Kvm(nats.js).create('keys', { history: 1 })
    for (const key of ['a.1', 'a.2', 'b.1']) await bucket.put(key, 'x')
    await bucket.delete('a.2')
    expect(await bucketKeys(bucket, 'a.*')).toEqual(['a.1'])
    expect(await bucketKeys(bucket, 'c.*')).toEqual([])
    const { request } = nats.connection
    const spy = vi.spyOn(nats.connection, 'request').mockImplementation(async (subject, ...rest) => {
      const answer = await request.call(nats.connection, subject, ...rest)
      if (subject.includes('CONSUMER.INFO'))
        for (const { name } of await nats.manager.consumers.list('KV_keys').next())
          await nats.manager.consumers.delete('KV_keys', name)
      return answer
    })
    await expect(bucketKeys(bucket, 'a.*')).rejects.toThrow('the keys a.* were not told within 5 s')
    spy.mockRestore()
  }, 30_000)
})
