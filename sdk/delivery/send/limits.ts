import { drop, type EventStore, wait } from '../database/event-store.js'
import type { State, Tables } from '../database/tables.js'
import { count, remove } from './sealed-batches.js'

/**
 * Keeping a queue within its limits and the collector's. Loaded when one is reached: few pages ever need it. Every
 * function is one transaction and resolves when it is durable.
 */
export interface Limits {
  /**
   * Puts two halves in the place of a batch that was too large, under the ids `<id>.0` and `<id>.1`, which keep its
   * place in the order. False: it is a single message, or out already.
   */
  split(batchId: string): Promise<boolean>
  /** Drops what was captured before a time, and the oldest of more than `max` messages. */
  trim(before: number, max: number): Promise<void>
}

/** Keeps the queue in a store within limits. */
export function createLimits({ update }: Pick<EventStore, 'update'>): Limits {
  return {
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
