import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import { batchesOf, memoryStorage, mortal, page, pass, type Sent } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

describe('the end of the page', () => {
  it('sends what was captured in the same tick, in a request that outlives the page', async () => {
    const { capture, sender, sent, numbers } = page()
    capture()
    await pass(1)
    capture()
    capture()
    sender.hide()
    expect(numbers()).toEqual([0, 1, 2])
    expect(sent[0]).toMatchObject({ path: '/v1/batch', keepalive: true })
    expect(sent[0]?.body.batch.map(({ context }) => context.seq)).toEqual([1, 2, 3])
  })

  it('leaves to the next page, under the same id, what was not acknowledged', async () => {
    const first = page()
    first.collector.answer = () => new Promise(() => {})
    first.capture()
    first.sender.hide()
    first.sender.stop()
    await pass(1)
    const second = page(first)
    second.capture(7)
    await pass(1_000)
    expect(second.sent[0]?.body).toMatchObject({
      batchId: first.sent[0]?.body.batchId,
      batch: first.sent[0]?.body.batch,
    })
    expect(second.numbers()).toEqual([0, 7])
    expect(second.sent[1]?.body.batch[0]?.context.seq).toBe(2)
    expect(second.store.known()).toMatchObject({ waiting: 0, ledger: { captured: 2, sent: 2, acknowledged: 2 } })
  })

  it('leaves it to the next page even when the page goes before its transaction is done', async () => {
    const first = page()
    first.capture()
    await pass(1)
    const { transact } = first
    const dying = page({ transact: () => new Promise(() => {}), storage: first.storage })
    dying.collector.answer = () => new Promise(() => {})
    dying.capture(1)
    dying.sender.hide()
    dying.sender.stop()
    const second = page({ transact, storage: first.storage })
    await second.sender.flush()
    expect(second.sent[1]?.body).toMatchObject({
      batchId: dying.sent[0]?.body.batchId,
      batch: dying.sent[0]?.body.batch,
    })
    expect(second.numbers()).toEqual([0, 1])
    expect(second.store.known()).toMatchObject({ waiting: 0, ledger: { captured: 2, acknowledged: 2 } })
    expect(first.storage.get('held')).toBeUndefined()
  })

  it('keeps within the bytes a browser allows, oldest first; the rest stays', async () => {
    const { capture, sender, collector, numbers, store } = page(undefined, { maxBatchBytes: 5_000 })
    collector.room = 6_000
    for (let i = 0; i < 20; i++) capture(i, 'v', 'x'.repeat(800))
    sender.hide()
    expect(numbers()).toEqual([0, 1, 2, 3])
    collector.room += 60_000
    await sender.flush()
    expect(numbers()).toEqual([...Array(20).keys()])
    expect(store.known()).toMatchObject({ waiting: 0, ledger: { captured: 20, acknowledged: 20 } })
  })

  it('leaves all to the next page, in order, though the database never opened and it is more than a request holds', async () => {
    const { transact, storage } = page()
    const dying = page({ transact: () => new Promise(() => {}), storage }, { maxBatchBytes: 5_000 })
    dying.collector.answer = () => new Promise(() => {})
    dying.collector.room = 6_000
    for (let i = 0; i < 20; i++) dying.capture(i, 'v', 'x'.repeat(800))
    await pass(0)
    dying.sender.hide()
    dying.sender.stop()
    const next = page({ transact, storage }, { maxBatchBytes: 5_000 })
    await next.sender.flush()
    expect(next.numbers()).toEqual([...Array(20).keys()])
    expect(next.store.known()).toMatchObject({ waiting: 0, ledger: { captured: 20, acknowledged: 20 } })
  })

  it('numbers from 1 what leaves while the first write is under way', async () => {
    const { capture, sender, sent } = page({ transact: () => new Promise(() => {}), storage: page().storage })
    for (let i = 0; i < 3; i++) capture()
    await pass(0)
    capture()
    sender.hide()
    expect(sent[0]?.body.batch.map(({ context }) => context.seq)).toEqual([1, 2, 3, 4])
  })

  it('leaves to the next page also what it held while something else was on its way into the store', async () => {
    const disk = { transact: createMemoryTables(), storage: memoryStorage() }
    const { transact, kill } = mortal(disk.transact, 10)
    const dying = page({ transact, storage: disk.storage })
    dying.collector.answer = () => new Promise(() => {})
    dying.capture()
    dying.sender.hide()
    await pass(15)
    dying.capture()
    dying.sender.hide()
    await pass(10)
    dying.sender.stop()
    kill()
    const next = page(disk)
    await pass(2_000)
    expect(next.numbers()).toEqual([0, 1])
    expect(disk.storage.get('held')).toBeUndefined()
  })

  it('sends nothing when nothing waits', async () => {
    const { capture, sender, sent } = page()
    capture()
    await sender.flush()
    sender.hide()
    expect(sent).toHaveLength(1)
  })
})

describe('a page that ends while its messages are being sealed', () => {
  /** From before the first look at what waits until everything is sent: each transaction takes 20 ms. */
  const moments = Array.from({ length: 30 }, (_, index) => 1_000 + index * 5)
  const once = [1, 1, 1]
  const batchCounts = (requests: Sent[]) => [0, 1, 2].map(n => batchesOf(requests).get(n)?.size)

  it.each(moments)('sends each message in one batch, %i ms after it was captured, and goes on', async moment => {
    const { transact } = mortal(createMemoryTables(), 10)
    const { capture, sender, sent, store } = page({ transact, storage: memoryStorage() })
    capture()
    capture()
    await pass(moment)
    capture()
    sender.hide()
    await pass(60_000)
    sender.stop()
    expect(batchCounts(sent)).toEqual(once)
    expect(store.known()).toMatchObject({ waiting: 0, ledger: { captured: 3, sent: 3, acknowledged: 3 } })
  })

  it.each(moments)('sends what it has not sent yet with its last breath, %i ms after', async moment => {
    const { transact } = mortal(createMemoryTables(), 10)
    const { capture, sender, collector, numbers } = page({ transact, storage: memoryStorage() })
    collector.compressingMs = 20
    capture()
    capture()
    await pass(moment)
    capture()
    sender.hide()
    await pass(0)
    expect(numbers().toSorted()).toEqual([0, 1, 2])
    sender.stop()
  })

  it.each(moments)('leaves it so to the next page, %i ms after, when it is killed at once', async moment => {
    const disk = { transact: createMemoryTables(), storage: memoryStorage() }
    const { transact, kill } = mortal(disk.transact, 10)
    const first = page({ transact, storage: disk.storage })
    first.collector.answer = () => new Promise(() => {})
    first.capture()
    first.capture()
    await pass(moment)
    first.capture()
    first.sender.hide()
    first.sender.stop()
    kill()
    const next = page(disk)
    await pass(60_000)
    next.sender.stop()
    expect(batchCounts([...first.sent, ...next.sent])).toEqual(once)
    expect(next.numbers().toSorted()).toEqual([0, 1, 2])
  })
})
