import { type Dropped, drop, type EventStore, wait } from '../database/event-store.js'
import { batchIdOf, type Chunk, type SealedBatch, type State, type Tables } from '../database/tables.js'
import { numbered } from '../numbered.js'

/** The queue on disk, as sending uses it. Every function is one transaction and resolves when it is durable. */
export interface SealedBatches {
  /**
   * Makes a batch of the oldest chunks of one visitor, up to `maxBytes`. Undefined: nothing to seal.
   *
   * @param id makes the batch's id its own
   * @param before id of a batch that waits: only older chunks
   * @param take called right before the batch takes the chunk with a key; false: neither it nor later ones
   */
  seal(
    id: string,
    maxBytes: number,
    before?: string,
    take?: (batch: SealedBatch, key: string) => boolean,
  ): Promise<SealedBatch | undefined>
  /** Returns the oldest sealed batches. */
  batches(limit?: number): Promise<SealedBatch[]>
  /** Takes a batch out: delivered, save what was `dropped`. Nothing happens when it is out already. */
  settle(batchId: string, dropped: Dropped): Promise<void>
  /**
   * Puts two halves in the place of a batch that was too large, under the ids `<id>.0` and `<id>.1`, which keep its
   * place in the order. False: it is a single message, or out already.
   */
  split(batchId: string): Promise<boolean>
  /** Drops what was captured before a time, and the oldest of more than `max` messages. */
  trim(before: number, max: number): Promise<void>
}

/**
 * Chunks read at once while sealing: small ones come by the dozen, full ones need not all be read to seal one batch.
 */
const CHUNKS_AT_ONCE = 16

/** Seals what waits in a store, and keeps its batches until they are settled. */
export function createSealedBatches({ transact, update }: EventStore): SealedBatches {
  return {
    seal: (id, maxBytes, before, take) =>
      update(async ({ chunks, batches }, state) => {
        let batch: SealedBatch | undefined
        let page: Chunk[]
        sealing: do {
          page = await chunks.getAll(null, CHUNKS_AT_ONCE)
          for (const { key, visitor, texts, from, bytes, at } of page) {
            batch ??= { batchId: batchIdOf(key, id), visitor, texts: [], bytes: 0, at }
            const fits = visitor === batch.visitor && (!batch.bytes || batch.bytes + bytes <= maxBytes)
            if (key > before! || !fits || take?.(batch, key) === false) break sealing
            batch.texts.push(...texts.map((text, index) => numbered(text, from + index)))
            batch.bytes += bytes
            ask(chunks.delete(key))
          }
        } while (page.length === CHUNKS_AT_ONCE)
        if (!batch?.bytes) return undefined
        state.ledger.sent += batch.texts.length
        ask(batches.put(batch))
        return batch
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
          held: undefined,
          batchId: `${batchId}.0`,
          texts: batch.texts.slice(0, half),
          bytes,
        })
        await batches.put({
          ...batch,
          held: undefined,
          batchId: `${batchId}.1`,
          texts: batch.texts.slice(half),
          bytes: batch.bytes - bytes,
        })
        await batches.delete(batchId)
        return true
      }),
    trim: (before, max) =>
      update(async (tables, state) => {
        while (await dropOldest(tables, state, 'expired', before));
        while (state.waiting > max && (await dropOldest(tables, state, 'queue_full')));
      }),
  }
}

/**
 * Asks for a write without waiting for it, so that nothing comes between taking messages and asking for the transaction
 * to be committed: a page that ends there has sent them already. When the write fails, the transaction does.
 */
function ask(write: Promise<unknown>): void {
  write.catch(() => {})
}

/** Lets the counters catch up with a batch that was sealed without the store. */
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
