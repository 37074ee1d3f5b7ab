import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Connection, openIndexedTables } from '#sdk/delivery/database/indexed-tables.js'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import { createResilientTables } from '#sdk/delivery/database/resilient-tables.js'
import type { Chunk } from '#sdk/delivery/database/tables.js'
import { createStorage } from '#sdk/platform/storage.js'
import { fullStore } from './harness.js'

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

const quiet = () => {}
const chunk = (key: string, ...texts: string[]): Chunk => ({ key, visitor: 'v', texts, from: 0, bytes: 10, at: 1 })
const text = (n: number) => `{"n":${n},"context":{"a":1}}`

function resilient(open: (onClosed: () => void) => Promise<Connection>) {
  const tables = createResilientTables(
    open,
    () => store.known(),
    async () => createMemoryTables,
    quiet,
  )
  const store = fullStore(tables.transact)
  return { store, close: tables.close }
}

describe('the queue in IndexedDB', () => {
  it('is there for the next page, with its numbers', async () => {
    const first = resilient(onClosed => openIndexedTables('q', onClosed))
    await first.store.add([chunk('a', text(0), text(1)), chunk('b', text(2))], {}, 0)
    first.close()
    const second = resilient(onClosed => openIndexedTables('q', onClosed))
    const sealed = await second.store.seal('batch', 1_000)
    expect(await second.store.transact(({ chunks }) => chunks.getAll())).toEqual([])
    expect(sealed?.texts.map(it => JSON.parse(it))).toEqual([0, 1, 2].map(n => ({ n, context: { a: 1, seq: n + 1 } })))
    expect(await second.store.batches()).toEqual([sealed])
    await second.store.settle(sealed!.batchId, {})
    await second.store.settle(sealed!.batchId, {})
    expect(second.store.known()).toMatchObject({
      waiting: 0,
      bytes: 0,
      ledger: { captured: 3, sent: 3, acknowledged: 3 },
    })
  })

  it('gives two tabs different numbers', async () => {
    const tabs = [1, 2].map(() => resilient(onClosed => openIndexedTables('q', onClosed)))
    await Promise.all(tabs.map(({ store }, tab) => store.add([chunk(`${tab}`, text(0), text(1))], {}, 0)))
    const sealed = await tabs[0]?.store.seal('batch', 1_000)
    expect(sealed?.texts.map(it => JSON.parse(it).context.seq)).toEqual([1, 2, 3, 4])
  })

  it('opens anew once when the handle was closed', async () => {
    const connections: Connection[] = []
    const { store } = resilient(async onClosed => {
      const connection = await openIndexedTables('q', onClosed)
      connections.push(connection)
      return connection
    })
    await store.add([chunk('a', text(0))], {}, 0)
    connections[0]?.close()
    await store.add([chunk('b', text(1))], {}, 0)
    expect(connections).toHaveLength(2)
    expect((await store.seal('batch', 1_000))?.texts).toHaveLength(2)
  })

  it('is not held open by what ends after the page is done with it', async () => {
    const closed: boolean[] = []
    const { store, close } = resilient(async onClosed => {
      const connection = await openIndexedTables('q', onClosed)
      const at = closed.push(false) - 1
      const end = () => {
        closed[at] = true
        connection.close()
      }
      return { ...connection, close: end }
    })
    await store.add([chunk('a', text(0))], {}, 0)
    close()
    await store.settle('late', {})
    await vi.waitFor(() => expect(closed).toEqual([true, true]))
  })

  it('keeps nothing of a transaction that failed', async () => {
    const { transact } = await openIndexedTables('q', quiet)
    await expect(
      transact(async ({ chunks }) => {
        await chunks.put(chunk('a', text(0)))
        throw new Error('half-way')
      }),
    ).rejects.toThrow('half-way')
    expect(await transact(({ chunks }) => chunks.getAll())).toEqual([])
  })
})

describe('without IndexedDB', () => {
  it('keeps messages in memory when it throws', async () => {
    const open = vi.fn(() => Promise.reject(new DOMException('blocked', 'SecurityError')))
    const { store } = resilient(open)
    await store.add([chunk('a', text(0))], {}, 0)
    await store.add([chunk('b', text(1))], {}, 0)
    expect(open).toHaveBeenCalledTimes(2)
    expect((await store.seal('batch', 1_000))?.texts).toHaveLength(2)
  })

  it('goes on counting where the broken storage stopped', async () => {
    const connections: Connection[] = []
    const { store } = resilient(async onClosed => {
      if (connections.length) throw new Error('gone')
      connections.push(await openIndexedTables('q', onClosed))
      return connections[0] as Connection
    })
    await store.add([chunk('a', text(0))], {}, 0)
    connections[0]?.close()
    await store.add([chunk('b', text(1))], {}, 0)
    expect(store.known()?.ledger.captured).toBe(2)
    expect((await store.seal('batch', 1_000))?.texts).toEqual(['{"n":1,"context":{"a":1,"seq":2}}'])
  })

  it('does not wait for a database that never opens', async () => {
    vi.useFakeTimers()
    const { store } = resilient(() => new Promise(() => {}))
    const added = store.add([chunk('a', text(0))], {}, 0)
    await vi.advanceTimersByTimeAsync(20_000)
    expect((await added).waiting).toBe(1)
    vi.useRealTimers()
  })
})

describe('small texts', () => {
  it('stay in memory where localStorage throws', () => {
    const storage = createStorage(() => {
      throw new DOMException('denied', 'SecurityError')
    }, 'p.')
    storage.set('a', '1')
    expect(storage.get('a')).toBe('1')
    storage.set('a')
    expect(storage.get('a')).toBeUndefined()
  })
})
