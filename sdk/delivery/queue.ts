import type { KeyValue } from '../platform/storage.js'
import { ENVELOPE_BYTES } from './body.js'
import type { Dropped, EventStore } from './database/event-store.js'
import { batchIdOf, type Chunk, type SealedBatch } from './database/tables.js'
import { numbered } from './numbered.js'

/** A message on its way. */
export interface Entry {
  messageId: string
  visitor: string
  /** JSON text, `context` last and without its `seq`. */
  text: string
  bytes: number
  at: number
}

/** A batch that was sealed at the end of a page, and the keys of the chunks whose messages it took. */
export interface Held {
  batch: SealedBatch
  keys: string[]
}

/** The page's end of the queue: groups messages into writes, and remembers those that nobody sealed yet. */
export interface Queue {
  /** Takes a message; it is written at the end of the current task's microtasks, or kept in memory while paused. */
  add(entry: Entry): void
  /** Writes what was kept in memory, now that nothing is paused. */
  resume(): void
  /** Counts a message that can't be sent. */
  drop(reason: string): void
  /** Resolves when everything added so far is written, at once while paused. */
  written(): Promise<void>
  /** Bytes of this page's unsealed messages. */
  bytes(): number
  /**
   * Tells that nothing written waits unsealed up to a key, whichever tab sealed it. True: some of it was this page's.
   */
  forget(key: string): boolean
  /**
   * Seals all that this page knows to be unsealed, at once, oldest first; the first batch fits `room` bytes if it can.
   * For the end of the page.
   */
  hold(room: number): Held[]
}

/** What `seq` adds to a message's text, and the comma between messages. */
export const OVERHEAD_BYTES = 20

/** Unsealed messages remembered beyond their being written, in bytes: enough to fill the last request of a page. */
const REMEMBERED_BYTES = 128_000

interface Limits {
  maxBatchBytes: number
  maxQueueMessages: number
}

/**
 * @param onWritten is told how many messages were written
 * @param paused while true, messages stay in memory, and nothing is read or written
 */
export function createQueue(
  store: EventStore,
  storage: KeyValue,
  newId: () => string,
  limits: Limits,
  onWritten: (messages: number) => void,
  paused: () => boolean,
): Queue {
  let pending: Entry[] = []
  let dropped: Dropped = {}
  let scheduled = false
  let writing: Promise<unknown> = Promise.resolve()
  /** Chunks of this page that are not sealed as far as it knows, oldest first. */
  let chunks: (Chunk & { written?: boolean })[] = []

  const size = (of: Chunk[]) => of.reduce((bytes, chunk) => bytes + chunk.bytes, 0)
  const lastSeq = () => Math.max(Number(storage.get('seq')) || 0, store.known()?.seq ?? 0)

  const schedule = () => {
    if (scheduled || paused()) return
    scheduled = true
    queueMicrotask(() => write())
  }
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
    schedule()
  }
  /** Turns what is pending into chunks. */
  const cut = () => {
    const fresh: Chunk[] = []
    for (const { messageId, visitor, text, bytes, at } of pending) {
      const size = bytes + OVERHEAD_BYTES
      const last = fresh.at(-1)
      if (last?.visitor === visitor && last.bytes + size <= limits.maxBatchBytes - ENVELOPE_BYTES) {
        last.texts.push(text)
        last.bytes += size
      } else fresh.push({ key: messageId, visitor, texts: [text], from: 0, bytes: size, at })
    }
    pending = []
    return fresh
  }
  const write = (fresh?: (Chunk & { written?: boolean })[]) => {
    scheduled = false
    if (paused()) return
    fresh ??= cut()
    const lost = dropped
    dropped = {}
    if (!fresh.length && !Object.keys(lost).length) return
    chunks.push(...fresh)
    while (chunks[0]?.written && size(chunks) > REMEMBERED_BYTES) chunks.shift()
    const done = store.add(fresh, lost, lastSeq()).then(state => {
      storage.set('seq', String(state.seq))
      for (const chunk of fresh) chunk.written = true
      onWritten(fresh.reduce((count, chunk) => count + chunk.texts.length, 0))
    })
    // The store falls back to memory rather than fail; whatever comes through is no business of the page's.
    writing = Promise.allSettled([writing, done])
  }
  return {
    add(entry) {
      pending.push(entry)
      // Stored messages are counted by the store; these wait for the visitor to agree.
      if (paused() && pending.length > limits.maxQueueMessages) {
        pending.shift()
        drop('queue_full')
      }
      schedule()
    },
    drop,
    resume: schedule,
    async written() {
      write()
      await writing
    },
    bytes: () => size(chunks),
    forget(key) {
      const { length } = chunks
      chunks = chunks.filter(chunk => chunk.key > key || (!chunk.written && chunk.key < key))
      return chunks.length < length
    },
    hold(room) {
      if (paused()) return []
      const fresh = cut()
      // Messages that no write has reached have no number yet. The page can't wait for one, so it takes the next ones,
      // and says so in storage, where the next write of any tab looks.
      let seq = lastSeq()
      const all: Held[] = []
      // Whole chunks only: their place in the store goes to the batch.
      for (const chunk of [...chunks, ...fresh]) {
        const { key, visitor, texts, from, bytes, at } = chunk
        let last = all.at(-1)
        if (last?.batch.visitor !== visitor || last.batch.bytes + bytes > room) {
          if (last) room = limits.maxBatchBytes - ENVELOPE_BYTES
          const held = { last: 0, unwritten: 0, bytes: 0 }
          last = { batch: { batchId: batchIdOf(key, newId()), visitor, texts: [], bytes: 0, at, held }, keys: [] }
          all.push(last)
        }
        const { batch, keys } = last
        let next = from || seq + 1
        batch.texts.push(...texts.map(text => numbered(text, next++)))
        batch.bytes += bytes
        keys.push(key)
        const held = batch.held!
        held.last = seq = Math.max(seq, next - 1)
        if (fresh.includes(chunk)) {
          held.unwritten += texts.length
          held.bytes += bytes
        }
      }
      chunks = []
      storage.set('seq', String(seq))
      write([])
      return all
    },
  }
}
