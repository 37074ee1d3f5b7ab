import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import { createLease, LEASE_MS, RENEW_MS } from '#sdk/delivery/send/lease.js'
import { reached } from '#sdk/delivery/send/positions.js'
import { createTurns } from '#sdk/delivery/send/turns.js'
import { unacknowledged } from '#sdk/slots/carried.js'
import { accept, batchesOf, fail, memoryStorage, mortal, page, pass, type Sent, settings } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

describe('batching', () => {
  it('sends after the interval what was captured meanwhile, as one batch', async () => {
    const { capture, sent, numbers } = page()
    capture()
    await pass(500)
    capture()
    expect(sent).toEqual([])
    await pass(500)
    expect(sent).toHaveLength(1)
    expect(numbers()).toEqual([0, 1])
  })

  it('sends at once when enough messages wait', async () => {
    const { capture, numbers } = page()
    for (let i = 0; i < 20; i++) capture()
    await pass(0)
    expect(numbers()).toHaveLength(20)
  })

  it('splits by bytes, in order', async () => {
    const { capture, sent, numbers } = page(undefined, { maxBatchBytes: 5_000 })
    for (let i = 0; i < 30; i++) capture(i, 'v', 'x'.repeat(800))
    await pass(0)
    expect(sent.length).toBeGreaterThan(5)
    for (const { body } of sent) expect(JSON.stringify(body).length).toBeLessThanOrEqual(5_000)
    expect(numbers()).toEqual([...Array(30).keys()])
  })

  it('never mixes two visitors in a batch', async () => {
    const { capture, sent } = page()
    capture(0, 'ann')
    capture(1, 'ann')
    capture(2, 'bob')
    await pass(1_000)
    expect(sent.map(({ body }) => body.batch.length)).toEqual([2, 1])
  })

  it('numbers messages over pages without gaps', async () => {
    const first = page()
    first.capture()
    first.capture()
    await pass(1_000)
    const second = page(first)
    second.capture()
    await pass(1_000)
    const seqs = [...first.sent, ...second.sent].flatMap(({ body }) => body.batch.map(({ context }) => context.seq))
    expect(seqs).toEqual([1, 2, 3])
  })
})

describe('retrying', () => {
  it('sends the same batch again after it failed, and what came later after it', async () => {
    const { capture, collector, sent, numbers, emitted } = page()
    collector.answer = () => undefined
    capture()
    await pass(1_000)
    capture()
    collector.answer = () => accept()
    await pass(10_000)
    expect(sent[1]?.body.batchId).toBe(sent[0]?.body.batchId)
    expect(sent[1]?.body.batch).toEqual(sent[0]?.body.batch)
    expect(numbers(sent.slice(1))).toEqual([0, 1])
    expect(emitted.map(([name]) => name)).toEqual(['sent', 'retry', 'sent', 'acknowledged', 'sent', 'acknowledged'])
  })

  it('backs off ever longer, up to a minute', async () => {
    const { capture, collector, emitted } = page()
    collector.answer = () => fail(503)
    capture()
    await pass(300_000)
    const delays = emitted.flatMap(([name, detail]) =>
      name === 'retry' ? [(detail as { delayMs: number }).delayMs] : [],
    )
    expect(delays.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('waits as long as Retry-After says, on the next page, too', async () => {
    const first = page()
    first.collector.answer = () => fail(429, '20')
    first.capture()
    await pass(1_000)
    const second = page(first)
    second.capture()
    await pass(18_000)
    expect(first.sent).toHaveLength(1)
    expect(second.sent).toHaveLength(0)
    await pass(5_000)
    expect(second.numbers().toSorted()).toEqual([0, 0])
  })

  it('does not attempt in between because new messages come', async () => {
    const { capture, collector, sent } = page()
    collector.answer = () => fail(503, '30')
    capture()
    await pass(1_000)
    for (let i = 0; i < 50; i++) capture()
    await pass(20_000)
    expect(sent).toHaveLength(1)
  })

  it.each([408, 429, 500, 502, 503, 504, 404])('keeps what was answered %i', async status => {
    const { capture, collector, store } = page()
    collector.answer = () => fail(status)
    capture()
    await pass(1_000)
    expect(await store.batches()).toHaveLength(1)
  })

  it('keeps what a foreign page answered with 200', async () => {
    const { capture, collector, store } = page()
    collector.answer = () => ({ status: 200, retryAfter: null, text: '<html>Sign in to the hotel' })
    capture()
    await pass(1_000)
    expect(await store.batches()).toHaveLength(1)
  })

  it.each([400, 401, 403, 410, 422])('drops what was answered %i, and counts it', async status => {
    const { capture, collector, store, sent } = page()
    collector.answer = () => fail(status)
    capture()
    capture()
    await pass(60_000)
    expect(sent).toHaveLength(1)
    expect(store.known()).toMatchObject({ waiting: 0, bytes: 0 })
    expect(store.known()?.ledger).toEqual({ captured: 2, sent: 2, acknowledged: 0, dropped: { [`http_${status}`]: 2 } })
  })

  it('halves what is too large, in order, and drops only the message that is too large by itself', async () => {
    const { capture, collector, store, sent, numbers } = page()
    collector.answer = ({ body }) => (body.batch.some(({ properties }) => properties.n === 2) ? fail(413) : accept())
    for (let i = 0; i < 5; i++) capture()
    await pass(60_000)
    const ids = sent.map(({ body }) => body.batchId)
    expect(new Set(ids).size).toBe(ids.length)
    const delivered = sent.filter(({ body }) => !body.batch.some(({ properties }) => properties.n === 2))
    expect(numbers(delivered)).toEqual([0, 1, 3, 4])
    expect(store.known()).toMatchObject({ waiting: 0, bytes: 0 })
    expect(store.known()?.ledger).toMatchObject({ captured: 5, acknowledged: 4, dropped: { http_413: 1 } })
  })

  it('hardly tries any more when nothing ever gets through, on later pages neither', async () => {
    const before = page()
    before.collector.answer = () => undefined
    before.capture()
    await pass(3_600_000)
    expect(before.sent.length).toBeLessThan(25)
    before.sender.stop()
    let attempts = 0
    for (let visit = 0; visit < 50; visit++) {
      const next = page(before)
      next.collector.answer = () => undefined
      next.capture()
      await pass(2_000)
      next.sender.hide()
      next.sender.stop()
      attempts += next.sent.length
    }
    expect(attempts).toBeLessThan(3)
  })

  it('tries at once when the network is back, and goes on as if nothing had been', async () => {
    const { capture, collector, sent, sender, numbers, storage } = page()
    collector.answer = () => undefined
    capture()
    await pass(600_000)
    const tried = sent.length
    collector.answer = () => accept()
    sender.online()
    await pass(0)
    expect(numbers(sent.slice(tried))).toEqual([0])
    expect(storage.get('failures')).toBeUndefined()
    capture()
    await pass(1_000)
    expect(numbers(sent.slice(tried))).toEqual([0, 1])
  })

  it('does not wait for a time that a wrong clock has set', async () => {
    const { capture, storage, numbers } = page()
    storage.set('retryAt', String(Date.now() + 86_400_000))
    capture()
    await pass(1_000)
    expect(numbers()).toEqual([0])
  })

  it('does not take the network for back while the collector asks to wait', async () => {
    const { capture, collector, sent, sender } = page()
    collector.answer = () => fail(503, '60')
    capture()
    await pass(1_000)
    sender.online()
    await pass(10_000)
    expect(sent).toHaveLength(1)
  })

  it('counts single rejections by their code', async () => {
    const { capture, collector, store } = page()
    const rejected = [{ messageId: null, index: 0, code: 'too_deep', reason: 'nested deeper than 16 levels' }]
    collector.answer = () => accept(1, { rejected })
    capture()
    capture()
    await pass(1_000)
    expect(store.known()?.ledger).toMatchObject({ acknowledged: 1, dropped: { rejected_too_deep: 1 } })
  })
})

describe('limits', () => {
  it('drops the oldest beyond the most messages, and counts them', async () => {
    const { capture, collector, store, numbers, sender } = page(undefined, { maxQueueMessages: 3 })
    collector.answer = () => undefined
    for (let i = 0; i < 5; i++) {
      capture()
      await pass(1)
    }
    collector.answer = () => accept()
    await sender.flush()
    expect(numbers()).toEqual([2, 3, 4])
    expect(store.known()?.ledger.dropped).toEqual({ queue_full: 2 })
  })

  it('drops what is too old, and counts it', async () => {
    const { capture, collector, store, sender } = page()
    collector.answer = () => undefined
    capture()
    await sender.flush()
    vi.setSystemTime(Date.now() + 8 * 86_400_000)
    collector.answer = () => accept()
    await sender.flush()
    expect(store.known()?.ledger).toMatchObject({ acknowledged: 0, dropped: { expired: 1 } })
  })

  it('are not kept where what keeps them can not be loaded: everything is sent, once', async () => {
    const { capture, collector, control, store, sent, numbers, sender } = page(undefined, { maxQueueMessages: 3 })
    control.loads = false
    collector.answer = () => undefined
    for (let i = 0; i < 5; i++) {
      capture()
      await pass(1)
    }
    await sender.flush()
    vi.setSystemTime(Date.now() + 8 * 86_400_000)
    const tried = sent.length
    collector.answer = () => accept()
    await sender.flush()
    expect(numbers(sent.slice(tried))).toEqual([0, 1, 2, 3, 4])
    expect(store.known()).toMatchObject({ waiting: 0, ledger: { acknowledged: 5, dropped: {} } })
  })

  it('of the collector wait for what halves a batch, with pauses', async () => {
    const { capture, collector, control, store, sent, numbers, emitted } = page()
    control.loads = false
    collector.answer = ({ body }) => (body.batch.length > 1 ? fail(413) : accept())
    capture()
    capture()
    await pass(60_000)
    expect(await store.batches()).toHaveLength(1)
    expect(sent.length).toBeLessThan(10)
    expect(emitted.map(([name]) => name)).not.toContain('dropped')
    control.loads = true
    await pass(60_000)
    expect(numbers(sent.filter(({ body }) => body.batch.length === 1))).toEqual([0, 1])
    expect(store.known()).toMatchObject({ waiting: 0, ledger: { acknowledged: 2, dropped: {} } })
  })
})

describe('the ledger', () => {
  it('accounts for every message', async () => {
    const { capture, outbox, store } = page()
    capture()
    outbox.drop('too_large')
    capture()
    await pass(1_000)
    expect(store.known()?.ledger).toEqual({ captured: 3, sent: 2, acknowledged: 2, dropped: { too_large: 1 } })
    expect(store.known()?.waiting).toBe(0)
  })
})

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

describe('while paused', () => {
  it('keeps messages in memory, touches no storage and sends nothing, not even at the end', async () => {
    const before = page()
    const touched = vi.fn(before.transact)
    const it = page({ transact: touched as typeof before.transact, storage: before.storage }, {}, true)
    const { capture, control, sender, outbox, sent, numbers, storage } = it
    capture()
    capture()
    await sender.flush()
    sender.hide()
    await pass(60_000)
    expect(touched).not.toHaveBeenCalled()
    expect(storage.get('seq')).toBeUndefined()
    expect(sent).toEqual([])
    expect(await unacknowledged(it, () => true)).toEqual([])
    control.paused = false
    outbox.resume()
    sender.start()
    await pass(2_000)
    expect(numbers()).toEqual([0, 1])
  })

  it('keeps no more than the most messages', async () => {
    const { capture, control, outbox, store, numbers } = page(undefined, { maxQueueMessages: 3 }, true)
    for (let i = 0; i < 5; i++) capture()
    control.paused = false
    outbox.resume()
    await pass(2_000)
    expect(numbers()).toEqual([2, 3, 4])
    expect(store.known()?.ledger).toMatchObject({ captured: 5, acknowledged: 3, dropped: { queue_full: 2 } })
  })
})

describe('flush', () => {
  it('resolves when everything captured before was tried', async () => {
    const { capture, sender, numbers } = page()
    capture()
    const first = sender.flush()
    capture()
    const second = sender.flush()
    await Promise.all([first, second])
    expect(numbers()).toEqual([0, 1])
  })

  it('tries although the last attempt failed a moment ago', async () => {
    const { capture, sender, collector, sent } = page()
    collector.answer = () => undefined
    capture()
    await sender.flush()
    await sender.flush()
    expect(sent).toHaveLength(2)
  })
})

it('remembers the highest position of each visitor', async () => {
  const { capture, collector, positions, sender } = page()
  let position = 40
  collector.answer = () => accept(1, { position: position++ })
  capture(0, 'ann')
  capture(1, 'bob')
  await sender.flush()
  reached(positions, 'ann', 12)
  expect(['ann', 'bob', 'eve'].map(visitor => positions.get(visitor))).toEqual([40, 41, undefined])
})

describe('the turn to send, without Web Locks', () => {
  const tab = (disk: Parameters<typeof page>[0]) => page(disk, {}, false, store => createLease(store, Date.now))

  it('goes to another tab within two seconds when the tab that has it is killed while it sends', async () => {
    const disk = { transact: createMemoryTables(), storage: memoryStorage() }
    let alive = true
    const killed = tab({
      transact: body => (alive ? disk.transact(body) : new Promise(() => {})),
      storage: disk.storage,
    })
    killed.collector.answer = () => new Promise(() => {})
    killed.capture()
    await pass(1_000)
    expect(killed.sent).toHaveLength(1)
    alive = false
    killed.sender.stop()
    const other = tab(disk)
    await pass(LEASE_MS + settings.flushInterval)
    expect(other.sent.map(({ body }) => body.batchId)).toEqual(killed.sent.map(({ body }) => body.batchId))
  })

  it('is taken so, too, where Web Locks refuse', async () => {
    const refusing = { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) }
    const it = page(undefined, {}, false, store =>
      createTurns('queue', refusing as unknown as LockManager, async () => createLease(store, Date.now)),
    )
    it.capture()
    await pass(settings.flushInterval)
    expect(it.numbers()).toEqual([0])
  })

  it('stays with a tab as long as its attempt takes', async () => {
    const disk = { transact: createMemoryTables(), storage: memoryStorage() }
    const slow = tab(disk)
    slow.collector.answer = () => new Promise(resolve => setTimeout(() => resolve(accept()), 20_000))
    slow.capture()
    await pass(1_000)
    const other = tab(disk)
    await pass(18_000)
    expect([slow.sent, other.sent].map(sent => sent.length)).toEqual([1, 0])
  })

  it('is prolonged often enough for tabs in the background, whose timers run once a second', () => {
    expect(RENEW_MS).toBeLessThanOrEqual(1_000)
    expect(LEASE_MS).toBeGreaterThan(1_000)
  })
})
