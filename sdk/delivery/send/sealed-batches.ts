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
export function count(state: State, { held: uncounted, texts: { length } }: SealedBatch): void {
  if (!uncounted) return
  state.seq = Math.max(state.seq, uncounted.last)
  state.ledger.sent += length
  wait(state, uncounted.unwritten, uncounted.bytes)
}

/** Takes a batch out, and counts it as acknowledged save what was dropped. */
export async function remove(tables: Tables, state: State, batch: SealedBatch, dropped: Dropped): Promise<void> {
  const { length } = batch.texts
  count(state, batch)
  state.ledger.acknowledged += length - drop(state, dropped)
  wait(state, -length, -batch.bytes)
  await tables.batches.delete(batch.batchId)
}
