import type { JsMsg } from '@nats-io/jetstream'
import type { StreamReader } from '@slotstream/runtime'
import { LOADED_HEADER } from '../positions/loaded-header.js'
import type { Block, Position } from '../positions/position.js'
import type { ResumePoint } from '../positions/resume.js'
import { rowsOf } from '../rows/rows-of.js'
import { createBlockPace } from './block-pace.js'
import { createRetry, type LoadDeps } from './load-deps.js'
import { createBlockReader, type ReadOptions } from './read/block-reader.js'
import { type RowBlock, readRows } from './read/read-rows.js'
import { recover } from './recover.js'
import { createBlockWriter } from './write/block-writer.js'

/**
 * Owns a stream and loads it, block by block: read, announce, leave out duplicates, insert, mark as done. One insert is
 * under way at a time, and the rows of one more block are read meanwhile. Failures are retried without end, and nothing
 * is read beyond that block.
 *
 * @param abort ends it at once; it throws Stopped
 * @param onReader is called with the reader; stopping that ends the loading after the block at hand
 * @throws LostOwnership when another writer announced a block
 */
export async function loadStream(
  deps: LoadDeps,
  abort: AbortSignal,
  onReader: (reader: StreamReader) => void,
): Promise<void> {
  const { spec, position, read, limits, metrics, troubles, log } = deps
  const { stream } = spec
  const retry = createRetry(deps, abort)
  const { point, recent, isLoaded } = await recover(deps, retry)
  const { offset } = point
  if (position.misfits && point.redo) await announce(point.redo)
  metrics.takeovers.inc({ stream })
  metrics.position.set({ stream }, (point.redo?.first ?? point.next) - 1 - offset)
  log.info({ stream, ...point, recent: recent.size }, 'loading')
  // Nothing is left to load, so nothing can show that it would work.
  if (isLoaded) troubles?.cleared(stream)

  const streamReader = read((point.redo?.first ?? point.next) - offset)
  onReader(streamReader)
  const reader = createBlockReader(streamReader[Symbol.asyncIterator]())
  const rowsOfMessage = (message: JsMsg) => (message.headers?.has(LOADED_HEADER) ? [] : rowsOf(spec, message, offset))
  const { beside } = spec
  const besideOf = beside && ((message: JsMsg) => rowsOf(beside, message, offset))
  const pace = createBlockPace(limits.maxAgeMs)
  const readBlock = (options: ReadOptions) =>
    readRows(reader, rowsOfMessage, { ...limits, maxAgeMs: pace.maxAgeMs }, options, besideOf)
  const writeBlock = createBlockWriter(deps, recent, retry, abort)
  let ahead: Promise<RowBlock> | undefined

  for (let state = point; ahead || !reader.ended; ) state = await nextBlock(state)

  /** Loads one block. A block that was announced before keeps its bounds; reading ends another one. */
  async function nextBlock({ redo, cutShort, pending, next }: ResumePoint): Promise<ResumePoint> {
    const fixed = redo ?? (pending?.first === next ? pending : undefined)
    if (fixed && !redo) await announce(fixed)
    const until = fixed?.last ?? (pending ? pending.first - 1 : undefined)
    const rowBlock = await (ahead ?? readBlock({ until: until && until - offset, whole: fixed !== undefined }))
    ahead = undefined
    const last = rowBlock.messages.at(-1)
    if (reader.ended && (fixed || !last)) return { offset, next }
    const block: Block = fixed ?? { first: next, last: last ? last.seq + offset : until! }
    if (!fixed && last) await announce(block, pending)
    // Positions at or below an announcement may have been written before, perhaps by another process.
    const beganMs = performance.now()
    const writing = writeBlock(rowBlock, block, cutShort ? 'cut short' : fixed || pending ? 'restored' : 'no')
    if (!fixed && !pending && !reader.ended) ahead = readBlock({ meanwhile: writing })
    // When writing fails, nothing waits for the next block any longer.
    ahead?.catch(() => {})
    await writing
    pace.inserted(performance.now() - beganMs)
    await retry(() => position.complete(block))
    metrics.position.set({ stream }, block.last - offset)
    troubles?.cleared(stream)
    return { offset, next: block.last + 1, ...(pending && fixed !== pending ? { pending } : {}) }
  }

  async function announce({ first, last }: Block, pending?: Block): Promise<void> {
    const value: Position = { first, last, ...(pending && { pending }), ...(offset > 0 && { offset }) }
    await retry(() => position.announce(value))
  }
}
