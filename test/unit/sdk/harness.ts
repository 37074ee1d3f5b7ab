import { vi } from 'vitest'
import { createEventStore, type EventStore } from '#sdk/delivery/database/event-store.js'
import { createMemoryTables } from '#sdk/delivery/database/memory-tables.js'
import type { Transact } from '#sdk/delivery/database/tables.js'
import { createOutbox, type Entry, type Outbox } from '#sdk/delivery/outbox.js'
import { createLimits, type Limits } from '#sdk/delivery/send/limits.js'
import type { Reply } from '#sdk/delivery/send/outcome.js'
import { createSealedBatches, type SealedBatches } from '#sdk/delivery/send/sealed-batches.js'
import { createSender, type Sender } from '#sdk/delivery/send/sender.js'
import type { TakeTurn } from '#sdk/delivery/send/turns.js'
import { createIds } from '#sdk/platform/ids.js'
import type { KeyValue } from '#sdk/platform/storage.js'

export const settings = {
  flushAt: 20,
  flushInterval: 1_000,
  maxBatchBytes: 60_000,
  maxQueueMessages: 10_000,
  maxQueueAge: 7 * 86_400_000,
}

export interface Sent {
  path: string
  keepalive: boolean
  body: {
    batchId: string
    ledger: { captured: number; sent: number; acknowledged: number; dropped: Record<string, number> }
    batch: { messageId: string; properties: { n: number }; context: { seq: number } }[]
  }
}

export function memoryStorage(): KeyValue {
  const map = new Map<string, string>()
  return {
    get: key => map.get(key),
    set: (key, text) => void (text ? map.set(key, text) : map.delete(key)),
  }
}

export const accept = (accepted = 1, more: object = {}): Reply => ({
  status: 200,
  retryAfter: null,
  text: JSON.stringify({ success: true, accepted, rejected: [], ...more }),
})

export const fail = (status: number, retryAfter: string | null = null): Reply => ({ status, retryAfter, text: '' })

const violations: unknown[] = []

/** Fails when an assertion inside a collector's answer did: the sender takes what it throws for a failed attempt. */
export function expectNoViolation(): void {
  const [first] = violations.splice(0)
  if (first) throw first
}

/**
 * What a page that may be killed sees of tables: each transaction takes `ms` before it begins, and again until it is
 * through, so that others can come in between. Killed, the page hears of nothing, and what had not begun is undone.
 */
export function mortal(transact: Transact, ms: number): { transact: Transact; kill(): void } {
  const never = new Promise<never>(() => {})
  const pause = async () => {
    if (ms) await new Promise(resolve => setTimeout(resolve, ms))
  }
  let alive = true
  return {
    transact: body =>
      transact(async tables => {
        await pause()
        if (!alive) throw new Error('killed')
        const result = await body(tables)
        await pause()
        return result
      }).then(
        result => (alive ? result : never),
        error => (alive ? Promise.reject(error) : never),
      ),
    kill: () => {
      alive = false
    },
  }
}

/** The batches that each message was sent in, by its number. The halves of one that was too large count as that one. */
export function batchesOf(requests: Sent[]): Map<number, Set<string>> {
  const batches = new Map<number, Set<string>>()
  for (const { body } of requests)
    for (const { properties } of body.batch) {
      const ids = batches.get(properties.n) ?? new Set()
      batches.set(properties.n, ids.add(body.batchId.replace(/(\.[01])+$/, '')))
    }
  return batches
}

/** The queue on disk with all that sending needs. */
export function fullStore(transact: Transact): EventStore & SealedBatches & Limits {
  const store = createEventStore(transact)
  return { ...store, ...createSealedBatches(store), ...createLimits(store) }
}

/** A page's delivery over memory tables and a collector that answers with `answer`. Pages share what `before` had. */
export function page(
  before?: { transact: Transact; storage: KeyValue },
  options: Partial<typeof settings> = {},
  paused = false,
  turns: (store: EventStore) => TakeTurn = () => async body => {
    await body()
    return true
  },
) {
  const all = { ...settings, ...options }
  const transact = before?.transact ?? createMemoryTables()
  const storage = before?.storage ?? memoryStorage()
  const newId = createIds(Date.now)
  const store = fullStore(transact)
  const sent: Sent[] = []
  const emitted: [string, unknown][] = []
  const collector = { answer: (_sent: Sent): Reply | Promise<Reply> => accept(), room: 60_000, compressingMs: 0 }
  let skipCompression = () => {}
  const control = { paused, loads: true }
  const isPaused = () => control.paused
  const positions = new Map<string, number>()
  const parts: Omit<Parameters<typeof createSender>[0], 'outbox'> = {
    store,
    positions,
    storage,
    newId,
    settings: all,
    transport: {
      keepaliveBudget: () => collector.room,
      skipCompression: () => skipCompression(),
      async post(path, text, { keepalive = false, compress } = {}) {
        if (compress && collector.compressingMs)
          await new Promise<void>(resolve => {
            skipCompression = resolve
            setTimeout(resolve, collector.compressingMs)
          })
        const request = { path, keepalive, body: JSON.parse(text) }
        sent.push(request)
        const held = keepalive ? text.length : 0
        collector.room -= held
        try {
          return await collector.answer(request)
        } catch (error) {
          violations.push(error)
          throw error
        } finally {
          collector.room += held
        }
      },
    },
    loadLimits: async () => {
      if (!control.loads) throw new Error('away')
      return store
    },
    takeTurn: turns(store),
    paused: isPaused,
    emit: (name, detail) => void emitted.push([name, detail]),
    log: () => {},
    now: Date.now,
    random: () => 0.5,
  }
  const outbox: Outbox = createOutbox(parts, store, storage, messages => sender.onWritten(messages))
  const sender: Sender = createSender({ ...parts, outbox })
  outbox.resume()
  sender.start()
  let count = 0
  const capture = (n = count++, visitor = 'v', padding = '') => {
    const messageId = newId()
    const text = JSON.stringify({ messageId, properties: { n, padding }, context: { visitor } })
    outbox.add({ messageId, visitor, text, bytes: text.length, at: Date.now() } satisfies Entry)
  }
  const numbers = (requests = sent) => requests.flatMap(({ body }) => body.batch.map(message => message.properties.n))
  return {
    transact,
    storage,
    store,
    outbox,
    positions,
    sender,
    sending: async () => sender,
    settings: all,
    paused: isPaused,
    control,
    sent,
    emitted,
    collector,
    capture,
    numbers,
  }
}

/** Lets timers up to `ms` run, and the promises between them. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
