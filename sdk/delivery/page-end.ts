import { bytesOf } from '../platform/bytes.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { KeyValue } from '../platform/storage.js'
import { bodyOf, ENVELOPE_BYTES } from './body.js'
import type { EventStore } from './database/event-store.js'
import type { SealedBatch } from './database/tables.js'
import { messageIds } from './message-ids.js'
import { parse } from './parse.js'
import type { Held, Queue } from './queue.js'

/** Longest wait that a collector may ask for, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000

/** What can't wait for a file to load: a page may end in the task that began it. */
export interface PageEnd {
  /** Batches this page sealed that aren't settled, by their ids. */
  open: Map<string, SealedBatch>
  /** How often the page's end came: what seals since before takes no more, as what it has is on its way. */
  holds: number
  /** When any tab may send again, in milliseconds since the epoch. */
  opens(): number
  /** The body of an attempt on a batch, which is made now. */
  bodyFor(batch: SealedBatch): string
  /**
   * Seals what this page knows without waiting for the store, which hears of it; the first batch fits `room` bytes if
   * it can.
   */
  hold(room: number): void
  /**
   * Seals what the page still holds, and posts what fits a request that outlives it.
   *
   * @param room bytes that such requests may still carry
   */
  leave(room: () => number, post: (batch: SealedBatch) => void): void
  /** Puts into the store what earlier pages could not. */
  recover(): void
}

interface Parts {
  queue: Queue
  store: Pick<EventStore, 'hold' | 'known'>
  storage: KeyValue
  emit: Emit
  log: Log
  now: () => number
  settings: { maxBatchBytes: number }
  /** Is told that something waits. */
  nudge: (messages: number) => void
}

export function createPageEnd({ queue, store, storage, emit, log, now, settings, nudge }: Parts): PageEnd {
  const open = new Map<string, SealedBatch>()
  const opens = () => {
    const at = Number(storage.get('retryAt')) || 0
    // Nobody waits longer than this: the clock was set back.
    return at > now() + LONGEST_WAIT_MS ? 0 : at
  }
  const left = () => (parse(storage.get('held') ?? '[]') ?? []) as Held[]
  const keep = (all: Held[]) => {
    const text = storage.get('held')
    Promise.all(all.map(({ batch, keys }) => store.hold(batch, keys))).then(() => {
      // What was held since is not in the store yet.
      if (storage.get('held') === text) storage.set('held')
    }, log)
  }
  const hold = (room: number) => {
    const all = queue.hold(room - ENVELOPE_BYTES)
    pageEnd.holds++
    if (!all.length) return
    for (const { batch } of all) open.set(batch.batchId, batch)
    // The page may not live to see the transaction through; what is in localStorage stays.
    storage.set('held', JSON.stringify([...left(), ...all]))
    keep(all)
    nudge(0)
  }
  const pageEnd: PageEnd = {
    open,
    holds: 0,
    opens,
    bodyFor(batch) {
      const { batchId, texts } = batch
      const body = bodyOf(batch, now(), store.known()?.ledger)
      emit('sent', { batchId, messageIds: messageIds(texts), bytes: bytesOf(body) })
      return body
    },
    hold,
    leave(room, post) {
      hold(Math.min(room(), settings.maxBatchBytes))
      for (const batch of open.values()) if (now() >= opens() && batch.bytes + ENVELOPE_BYTES <= room()) post(batch)
    },
    recover: () => keep(left()),
  }
  return pageEnd
}
