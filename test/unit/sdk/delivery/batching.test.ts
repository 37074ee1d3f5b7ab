import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { reached } from '#sdk/delivery/send/positions.js'
import { unacknowledged } from '#sdk/slots/carried.js'
import { accept, page, pass } from '../harness.js'

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
