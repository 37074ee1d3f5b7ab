import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { accept, fail, page, pass } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

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

  it('are not kept where what keeps them cannot be loaded: everything is sent, once', async () => {
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
