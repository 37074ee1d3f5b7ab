import { type KV, Kvm } from '@nats-io/kv'
import { type Check, isListOf } from '@slotstream/protocol'
import { changeValue, connectNats, createLog, type Nats, readValue, replaceValue } from '@slotstream/runtime'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startNatsServer } from '../support/nats-server.js'

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats
let bucket: KV
const log = createLog('test')
log.level = 'silent'

beforeAll(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
  bucket = await new Kvm(nats.js).create('values', { history: 1 })
})
afterAll(async () => {
  await nats?.close()
  await server?.stop()
})

function parseNumbers(raw: unknown): Check<number[]> {
  return isListOf(raw, Number.isInteger)
    ? { ok: true, value: raw as number[] }
    : { ok: false, reason: 'it is no list of numbers' }
}

it('is read with its revision, also where there is none that can be read', async () => {
  expect(await readValue(bucket, 'never', parseNumbers)).toEqual({ value: undefined, revision: 0 })
  expect(await readValue(bucket, 'bad', parseNumbers)).toEqual({ value: undefined, revision: 0 })
  const bad = await bucket.put('bad', '["one"]')
  expect(await readValue(bucket, 'bad', parseNumbers)).toEqual({ value: undefined, revision: bad })
  const good = await replaceValue(bucket, 'bad', [1], bad)
  expect(await readValue(bucket, 'bad', parseNumbers)).toEqual({ value: [1], revision: good })
  await bucket.delete('bad')
  const { value, revision } = await readValue(bucket, 'bad', parseNumbers)
  expect(value).toBeUndefined()
  expect(revision).toBeGreaterThan(good!)
})

it('is replaced only at the revision that was read', async () => {
  const first = await replaceValue(bucket, 'once', [1], 0)
  expect(await replaceValue(bucket, 'once', [2], 0)).toBeUndefined()
  expect(await replaceValue(bucket, 'once', [3], first!)).toBeGreaterThan(first!)
  expect((await readValue(bucket, 'once', parseNumbers)).value).toEqual([3])
})

it('has each of the changes that are made at the same time', async () => {
  const all = Array.from({ length: 12 }, (_, number) => number)
  await Promise.all(all.map(number => changeValue(bucket, 'many', parseNumbers, (before = []) => [...before, number])))
  const { value, revision } = await readValue(bucket, 'many', parseNumbers)
  expect(value!.toSorted((a, b) => a - b)).toEqual(all)
  expect(await changeValue(bucket, 'many', parseNumbers, () => undefined)).toBeUndefined()
  expect((await readValue(bucket, 'many', parseNumbers)).revision).toBe(revision)
})

it('is not changed by a write that fails for another reason', async () => {
  const broken: Pick<KV, 'get' | 'put'> = {
    get: key => bucket.get(key),
    put: () => Promise.reject(new Error('no space left')),
  }
  await expect(changeValue(broken, 'failing', parseNumbers, () => [1])).rejects.toThrow('no space left')
})
