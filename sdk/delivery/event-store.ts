import { numbered } from './numbered.js'
import {
  batchIdOf,
  type Chunk,
  emptyState,
  type SealedBatch,
  type State,
  type Tables,
  type Transact,
} from './tables.js'

/** Counts by reason. */
export type Dropped = Record<string, number>

/** The queue on disk. Every function is one transaction and resolves when it is durable. */
export interface EventStore {
  /** The state after the latest transaction of this page; undefined before the first. */
  known(): State | undefined
  /**
   * Writes chunks, numbering their messages, and counts them and `dropped` (captured, but never written) as captured.
   *
   * @param seq number that was given last, as far as the caller knows
   * @param max most messages to keep; beyond it the oldest go
   */
  add(chunks: Chunk[], dropped: Dropped, seq: number, max: number): Promise<State>
  /**
   * Makes a batch of the oldest chunks of one visitor, up to `maxBytes`; `keys` are theirs. Undefined: nothing to seal.
   *
   * @param id what makes the batch's id its own
   * @param before id of a batch that waits: only chunks that are older
   */
  seal(id: string, maxBytes: number, before?: string): Promise<{ batch: SealedBatch; keys: string[] } | undefined>
  /** Puts a batch that was sealed by the caller in the place of its chunks. Reads nothing, so that it may outrun the end of the page. */
  hold(batch: SealedBatch, keys: string[]): Promise<void>
  /** The oldest sealed batches. */
  batches(limit?: number): Promise<SealedBatch[]>
  /** Takes a batch out: delivered, save what was `dropped`. Nothing happens when it is out already. */
  settle(batchId: string, dropped: Dropped): Promise<void>
  /**
   * Puts two halves in the place of a batch that was too large, under the ids `<id>.0` and `<id>.1`, which keep its place
   * in the order. False: it is a single message, or out already.
   */
  split(batchId: string): Promise<boolean>
  /** Drops what was captured before a time. */
  expire(before: number): Promise<void>
  /**
   * Takes the turn to send until a time, unless another tab has it at the time `now`; without that, whoever has it. 0
   * gives it back.
   */
  lease(until: number, now?: number): Promise<boolean>
}

/** Chunks read at once while sealing: small ones come by the dozen, full ones need not all be read to seal one batch. */
const PAGE = 16

/** The queue's logic, the same over every kind of tables. */
export function createEventStore(transact: Transact): EventStore {
  let known: State | undefined
  /** A transaction that changes the state. */
  const update = <T>(body: (tables: Tables, state: State) => Promise<T>) =>
    transact(async tables => {
      const state = (await tables.meta.get('state')) ?? emptyState()
      const result = await body(tables, state)
      // Every captured message takes a number, also one that left before it could be written.
      state.ledger.captured = state.seq
      await tables.meta.put(state)
      known = state
      return result
    })
  return {
    known: () => known,
    add: (chunks, dropped, seq, max) =>
      update(async (tables, state) => {
        state.seq = Math.max(state.seq, seq)
        for (const chunk of chunks) {
          chunk.from = state.seq + 1
          const count = chunk.texts.length
          state.seq += count
          wait(state, count, chunk.bytes)
          await tables.chunks.put(chunk)
        }
        state.seq += drop(state, dropped)
        while (state.waiting > max && (await dropOldest(tables, state, 'queue_full')));
        return state
      }),
    seal: (id, maxBytes, before) =>
      update(async ({ chunks, batches }, state) => {
        const keys: string[] = []
        let batch: SealedBatch | undefined
        let page: Chunk[]
        sealing: do {
          page = await chunks.getAll(null, PAGE)
          for (const { key, visitor, texts, from, bytes, at } of page) {
            if (key > before! || (batch && (visitor !== batch.visitor || batch.bytes + bytes > maxBytes))) break sealing
            batch ??= { batchId: batchIdOf(key, id), visitor, texts: [], bytes: 0, at }
            batch.texts.push(...texts.map((text, index) => numbered(text, from + index)))
            batch.bytes += bytes
            keys.push(key)
            await chunks.delete(key)
          }
        } while (page.length === PAGE)
        if (!batch) return undefined
        state.ledger.sent += batch.texts.length
        await batches.put(batch)
        return { batch, keys }
      }),
    hold: (batch, keys) =>
      transact(async ({ chunks, batches, commit }) => {
        const writes = [batches.put(batch), ...keys.map(key => chunks.delete(key))]
        commit()
        await Promise.all(writes)
      }),
    batches: count => transact(({ batches }) => batches.getAll(null, count)),
    settle: (batchId, dropped) =>
      update(async (tables, state) => {
        const batch = await tables.batches.get(batchId)
        if (batch) await remove(tables, state, batch, dropped)
      }),
    split: batchId =>
      update(async ({ batches }, state) => {
        const batch = await batches.get(batchId)
        if (!batch || batch.texts.length < 2) return false
        const { length } = batch.texts
        count(state, batch)
        const half = Math.ceil(length / 2)
        // Their sum counts, and that the queue sends batches of any size.
        const bytes = Math.ceil((batch.bytes * half) / length)
        await batches.put({
          ...batch,
          batchId: `${batchId}.0`,
          texts: batch.texts.slice(0, half),
          bytes,
          held: undefined,
        })
        await batches.put({
          ...batch,
          batchId: `${batchId}.1`,
          texts: batch.texts.slice(half),
          bytes: batch.bytes - bytes,
          held: undefined,
        })
        await batches.delete(batchId)
        return true
      }),
    expire: before =>
      update(async (tables, state) => {
        while (await dropOldest(tables, state, 'expired', before));
      }),
    lease: (until, now = Infinity) =>
      update(async (_, state) => {
        const { lease = 0 } = state
        // Nobody takes it for longer than this one would: the clock was set back.
        const free = lease <= now || lease > until
        if (free) state.lease = until
        return free
      }),
  }
}

function wait(state: State, count: number, bytes: number): void {
  state.waiting = Math.max(0, state.waiting + count)
  state.bytes = Math.max(0, state.bytes + bytes)
}

/** Counts what was dropped; returns how many in all. */
function drop({ ledger }: State, dropped: Dropped): number {
  let total = 0
  for (const [reason, count] of Object.entries(dropped)) {
    ledger.dropped[reason] = (ledger.dropped[reason] ?? 0) + count
    total += count
  }
  return total
}

/** Lets the counters catch up with a batch that was sealed blindly. */
function count(state: State, { held, texts: { length } }: SealedBatch): void {
  if (!held) return
  state.seq = Math.max(state.seq, held.last)
  state.ledger.sent += length
  wait(state, held.unwritten, held.bytes)
}

async function remove(tables: Tables, state: State, batch: SealedBatch, dropped: Dropped): Promise<void> {
  const { length } = batch.texts
  count(state, batch)
  state.ledger.acknowledged += length - drop(state, dropped)
  wait(state, -length, -batch.bytes)
  await tables.batches.delete(batch.batchId)
}

/** Drops the oldest batch, or else the oldest chunk, if it was captured before a time. False: there was none. */
async function dropOldest(tables: Tables, state: State, reason: string, before = Infinity): Promise<boolean> {
  const [batch] = await tables.batches.getAll(null, 1)
  if (batch && batch.at < before) {
    await remove(tables, state, batch, { [reason]: batch.texts.length })
    return true
  }
  const [chunk] = await tables.chunks.getAll(null, 1)
  if (!chunk || chunk.at >= before) return false
  const { length } = chunk.texts
  drop(state, { [reason]: length })
  wait(state, -length, -chunk.bytes)
  await tables.chunks.delete(chunk.key)
  return true
}
