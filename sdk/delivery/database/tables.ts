import type { Ledger } from '@slotstream/protocol'

/** Messages that were written together and are not sealed yet: at most one batch's worth, of one visitor. */
export interface Chunk {
  /** Id of the first message. Ids ascend, so chunks sort in the order of capture. */
  key: string
  visitor: string
  /** JSON texts, `context` last and without their `seq`. */
  texts: string[]
  /** Number of the first message; the others follow. Set when it is written. */
  from: number
  bytes: number
  /** When the first was captured, in milliseconds since the epoch. */
  at: number
}

/** A batch that was tried at least once: it is sent again under the same id with the same messages. */
export interface SealedBatch {
  batchId: string
  visitor: string
  /** JSON texts with their `seq`. */
  texts: string[]
  bytes: number
  at: number
  /**
   * Only of a batch that was sealed at the end of a page, without the store, so that the counters have to catch up: its
   * last number, and how many of its messages and bytes left before they were written. A stored name: it stays.
   */
  held?: { last: number; unwritten: number; bytes: number } | undefined
}

/**
 * Returns the id of a batch. Ids sort in the order of their first messages, so that they are sent in the order of
 * capture. `id` makes it the batch's own.
 */
export const batchIdOf = (key: string, id: string) => key + id.slice(-13)

/** Returns the name of a queue's database, and of the lock for sending from it. */
export const queueName = (writeKey: string) => `slotstream-${writeKey}`

export interface State {
  key: 'state'
  /** Number of the latest message. */
  seq: number
  /** Messages and bytes in chunks and batches. */
  waiting: number
  bytes: number
  /** Time until which a tab has the turn to send, where there are no Web Locks, in milliseconds since the epoch. */
  lease?: number
  ledger: Ledger
}

export function emptyState(): State {
  return { key: 'state', seq: 0, waiting: 0, bytes: 0, ledger: { captured: 0, sent: 0, acknowledged: 0, dropped: {} } }
}

/** Records in the order of their keys: the methods of IndexedDB's object stores that are used here. */
export interface Table<T> {
  get(key: string): Promise<T | undefined>
  /** Reads the first `count`; all without it. */
  getAll(query?: null, count?: number): Promise<T[]>
  put(record: T): Promise<unknown>
  delete(key: string): Promise<unknown>
}

export interface Tables {
  chunks: Table<Chunk>
  batches: Table<SealedBatch>
  meta: Table<State>
  /** Commits what was asked for so far without waiting for answers: for a page that is about to end. */
  commit(): void
}

/** Runs `body` as one transaction: all of it happens, or nothing. */
export type Transact = <T>(body: (tables: Tables) => Promise<T>) => Promise<T>
