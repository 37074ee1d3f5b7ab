import { bytesOf } from '../platform/bytes.js'
import type { Emit } from '../platform/emit.js'
import type { Log } from '../platform/guard.js'
import type { KeyValue } from '../platform/storage.js'
import { bodyOf, ENVELOPE_BYTES } from './body.js'
import type { Dropped, EventStore } from './database/event-store.js'
import type { SealedBatch } from './database/tables.js'
import {
  afterCut,
  afterSettling,
  afterTaking,
  bytesOfChunks,
  type ExitBatch,
  type PageChunk,
  sealForExit,
} from './life-cycle.js'
import { messageIds } from './message-ids.js'
import { parse } from './parse.js'

/** Longest wait that a collector may ask for, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000

/** Bytes that `seq` adds to a message's text, and the comma between messages. */
export const OVERHEAD_BYTES = 20

/** A captured message. */
export interface Entry {
  messageId: string
  visitor: string
  /** JSON text, `context` last and without its `seq`. */
  text: string
  bytes: number
  at: number
}

/**
 * Messages of this page from capture to acknowledgement: writes them, and has everything that can't wait for the sender
 * to load, because a page may end in the task that began it.
 */
export interface Outbox {
  /** Takes a message; it is written at the end of the current task's microtasks, or stays in memory while paused. */
  add(entry: Entry): void
  /** Counts a message that can't be sent. */
  drop(reason: string): void
  /**
   * Puts into the store what earlier pages could not, and writes what waited in memory, now that nothing is paused. To
   * be called before this page seals anything: what it sealed and the collector has must not come back.
   */
  resume(): void
  /** Returns whether nothing has been stored in this browser yet, or taken from there. */
  isFirst(): boolean
  /** Resolves when everything added so far is written, at once while paused. */
  whenWritten(): Promise<void>
  /** Returns the bytes of this page's unsealed messages. */
  bytes(): number
  /**
   * Returns a function for a sealing that begins now. It is called before a batch takes the chunk with a key; false
   * once the page's end came since: the messages from there on are on their way already. Without a batch it takes note
   * that nothing written waits unsealed up to the key, whichever tab sealed it.
   */
  taking(): (batch: SealedBatch | undefined, key: string) => boolean
  /** Takes note that a batch is settled. */
  settled(batchId: string): void
  /**
   * Seals everything this page has, at once, oldest first; the store is told later. Returns all of the page's batches
   * that aren't settled.
   *
   * @param room bytes that the first batch is to fit with its envelope, if it can
   */
  sealForExit(room: number): SealedBatch[]
  /**
   * Seals everything this page has, and posts the batches that fit requests which outlive it.
   *
   * @param keepaliveBudget bytes that such requests may still carry
   */
  sendOnExit(keepaliveBudget: () => number, post: (batch: SealedBatch) => void): void
  /** Returns when any tab may send again, in milliseconds since the epoch. */
  openAt(): number
  /** Returns the body of an attempt on a batch that is made now. */
  bodyFor(batch: SealedBatch): string
}

interface OutboxDeps {
  newId: () => string
  now: () => number
  emit: Emit
  log: Log
  settings: { maxBatchBytes: number; maxQueueMessages: number }
  /** While true, messages stay in memory, and nothing is read or written. */
  paused: () => boolean
}

/**
 * Creates the outbox of a page. Longer than 70 lines: its functions share the state.
 *
 * @param onWritten called with how many messages were written; 0: there may be something to send
 */
export function createOutbox(
  { newId, now, emit, log, settings, paused }: OutboxDeps,
  store: EventStore,
  storage: KeyValue,
  onWritten: (messages: number) => void,
): Outbox {
  const maxBytes = settings.maxBatchBytes - ENVELOPE_BYTES
  // A thousand messages of one task are collected before their first event: each is worth a push, not a copy of the
  // others.
  let captured: Entry[] = []
  /** Chunks that are not sealed as far as the page knows, oldest first. */
  let unsealed: PageChunk[] = []
  /** Batches with messages of this page that aren't settled. */
  let unsettled: SealedBatch[] = []
  /** Number of times the page's end came. */
  let exits = 0
  let dropped: Dropped = {}
  let scheduled = false
  let writing: Promise<unknown> = Promise.resolve()

  const lastSeq = () => Math.max(Number(storage.get('seq')) || 0, store.known()?.seq ?? 0)

  const schedule = () => {
    if (scheduled || paused()) return
    scheduled = true
    queueMicrotask(write)
  }
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
    schedule()
  }
  /** Turns captured messages into chunks. */
  const cut = () => {
    const chunks: PageChunk[] = []
    for (const { messageId, visitor, text, bytes, at } of captured) {
      const size = bytes + OVERHEAD_BYTES
      const last = chunks.at(-1)
      if (last?.visitor === visitor && last.bytes + size <= maxBytes) {
        last.texts.push(text)
        last.bytes += size
      } else chunks.push({ key: messageId, visitor, texts: [text], from: 0, bytes: size, at })
    }
    captured = []
    return chunks
  }
  const write = () => {
    scheduled = false
    if (paused()) return
    const chunks = cut()
    const counts = dropped
    dropped = {}
    if (!chunks.length && !Object.keys(counts).length) return
    unsealed = afterCut(unsealed, chunks)
    const done = store.add(chunks, counts, lastSeq()).then(({ seq }) => {
      storage.set('seq', `${seq}`)
      for (const chunk of chunks) chunk.durable = true
      onWritten(chunks.reduce((count, { texts }) => count + texts.length, 0))
    })
    // The store falls back to memory rather than fail; errors that get through don't concern the page.
    writing = Promise.allSettled([writing, done])
  }

  /** Batches that pages sealed at their end, and that may not be in the store. `held` is stored: the name stays. */
  const saved = () => (parse(storage.get('held') as string) ?? []) as ExitBatch[]
  const save = (batches: ExitBatch[]) => {
    const text = storage.get('held')
    Promise.all(batches.map(({ batch, keys }) => store.putSealed(batch, keys))).then(() => {
      // Batches added since are not in the store yet.
      if (storage.get('held') === text) storage.set('held')
    }, log)
  }
  const openAt = () => {
    const at = Number(storage.get('retryAt')) || 0
    // No collector asks for a longer wait: the clock was set back.
    return at > now() + LONGEST_WAIT_MS ? 0 : at
  }
  const seal = (room: number) => {
    if (!paused()) {
      const [batches, seq] = sealForExit(
        unsealed,
        cut(),
        lastSeq(),
        Math.min(room - ENVELOPE_BYTES, maxBytes),
        maxBytes,
        newId(),
      )
      unsealed = []
      unsettled = [...unsettled, ...batches.map(({ batch }) => batch)]
      exits++
      // The next write of any tab looks there for the number given last.
      storage.set('seq', `${seq}`)
      write()
      if (batches.length) {
        // The page may end before the transaction does; what is in localStorage stays.
        storage.set('held', JSON.stringify([...saved(), ...batches]))
        save(batches)
        onWritten(0)
      }
    }
    return unsettled
  }
  return {
    add(entry) {
      captured.push(entry)
      // Stored messages are counted by the store; these wait for the visitor to agree.
      if (paused() && captured.length > settings.maxQueueMessages) {
        captured.shift()
        drop('queue_full')
      }
      schedule()
    },
    drop,
    resume() {
      save(saved())
      schedule()
    },
    isFirst: () => !lastSeq(),
    async whenWritten() {
      write()
      await writing
    },
    bytes: () => bytesOfChunks(unsealed),
    taking() {
      const begun = exits
      return (batch, key) => {
        if (exits !== begun) return false
        ;[unsealed, unsettled] = afterTaking(unsealed, unsettled, key, batch)
        return true
      }
    },
    settled(batchId) {
      unsettled = afterSettling(unsettled, batchId)
    },
    sealForExit: seal,
    sendOnExit(keepaliveBudget, post) {
      for (const batch of seal(keepaliveBudget()))
        if (now() >= openAt() && batch.bytes + ENVELOPE_BYTES <= keepaliveBudget()) post(batch)
    },
    openAt,
    bodyFor(batch) {
      const { batchId, texts } = batch
      const body = bodyOf(batch, now(), store.known()?.ledger)
      emit('sent', { batchId, messageIds: messageIds(texts), bytes: bytesOf(body) })
      return body
    },
  }
}
