import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import { createLease, LEASE_MS, RENEW_MS } from '#sdk/delivery/send/lease.js'
import { createTurns } from '#sdk/delivery/send/turns.js'
import { accept, memoryStorage, page, pass, settings } from '../harness.js'

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => vi.useRealTimers())

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
