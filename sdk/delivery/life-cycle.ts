/*
 * Life of a page's messages: captured → cut into chunks, which are written → sealed into batches → in flight → settled.
 * Every function here is one step of it, and changes none of its arguments.
 */
import { batchIdOf, type Chunk, type SealedBatch } from './database/tables.js'
import { numbered } from './numbered.js'

/**
 * A chunk of this page, with what the page knows of it. The store sets `from` in place when it numbers the messages.
 */
export interface PageChunk extends Chunk {
  durable?: boolean
}

/** A batch that was sealed at the end of a page, and the keys of the chunks whose messages it took. */
export interface ExitBatch {
  batch: SealedBatch
  keys: string[]
}

/** Unsealed messages remembered beyond their being written, in bytes: enough to fill the last request of a page. */
export const REMEMBERED_BYTES = 128_000

/** Returns the bytes of chunks. */
export const bytesOfChunks = (chunks: readonly Chunk[]) => chunks.reduce((sum, { bytes }) => sum + bytes, 0)

/**
 * Adds chunks that are being written now to the unsealed. Forgets the oldest durable ones beyond `REMEMBERED_BYTES`.
 */
export function afterCut(unsealed: readonly PageChunk[], chunks: PageChunk[]): PageChunk[] {
  const all = [...unsealed, ...chunks]
  while (all[0]?.durable && bytesOfChunks(all) > REMEMBERED_BYTES) all.shift()
  return all
}

/** Takes everything out of the unsealed that was in the store up to a key, and the chunk with that key. */
export const afterSeal = (unsealed: readonly PageChunk[], key: string): PageChunk[] =>
  unsealed.filter(chunk => chunk.key > key || (!chunk.durable && chunk.key < key))

/**
 * Lets a batch of this tab take the chunk with a key, or, without one, takes note of what other tabs sealed. Returns
 * the unsealed and the unsettled.
 */
export function afterTaking(
  unsealed: readonly PageChunk[],
  unsettled: SealedBatch[],
  key: string,
  batch?: SealedBatch,
): [PageChunk[], SealedBatch[]] {
  const left = afterSeal(unsealed, key)
  // Only messages of this page may have to leave with it, even before they are durable; others wait for the next.
  return [
    left,
    batch && left.length < unsealed.length ? [...afterSettling(unsettled, batch.batchId), batch] : unsettled,
  ]
}

/** Takes a batch that is acknowledged, dropped or split out of the unsettled. */
export const afterSettling = (unsettled: readonly SealedBatch[], id: string): SealedBatch[] =>
  unsettled.filter(({ batchId }) => batchId !== id)

/**
 * Makes batches of all messages at the end of their page. Those that no write has reached have no number yet. The page
 * can't wait for one, so they take the next ones. Returns the batches, and the number of the last message.
 *
 * @param unwritten chunks that no write has reached
 * @param seq number that was given last
 * @param room bytes of the first batch, if a chunk fits at all
 * @param maxBytes bytes of the others
 * @param id makes the ids of the batches their own
 */
export function sealForExit(
  unsealed: readonly PageChunk[],
  unwritten: PageChunk[],
  seq: number,
  room: number,
  maxBytes: number,
  id: string,
): [ExitBatch[], number] {
  const batches: ExitBatch[] = []
  // Whole chunks only: the batch takes their place in the store.
  for (const chunk of [...unsealed, ...unwritten]) {
    const { key, visitor, texts, from, bytes, at } = chunk
    let last = batches.at(-1)
    if (last?.batch.visitor !== visitor || last.batch.bytes + bytes > room) {
      if (last) room = maxBytes
      const counts = { last: 0, unwritten: 0, bytes: 0 }
      last = { batch: { batchId: batchIdOf(key, id), visitor, texts: [], bytes: 0, at, held: counts }, keys: [] }
      batches.push(last)
    }
    const { batch, keys } = last
    let next = from || seq + 1
    batch.texts.push(...texts.map(text => numbered(text, next++)))
    batch.bytes += bytes
    keys.push(key)
    const counts = batch.held!
    counts.last = seq = Math.max(seq, next - 1)
    if (unwritten.includes(chunk)) {
      counts.unwritten += texts.length
      counts.bytes += bytes
    }
  }
  return [batches, seq]
}
