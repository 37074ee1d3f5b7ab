import type { JsMsg } from '@nats-io/jetstream'
import { type Log, NO_TOMBSTONES, persistently, type StreamReader, type Tombstones } from '@slotstream/runtime'
import type { WarehouseMetrics } from '../metrics.js'
import { LOADED_HEADER } from '../positions/loaded-header.js'
import { type Block, LostOwnership, type Position, type PositionKeeper } from '../positions/position.js'
import { type Plan, resume, resumeUnannounced } from '../positions/resume.js'
import { keyText, type Row } from '../rows/row.js'
import { rowsOf } from '../rows/rows-of.js'
import type { StreamSpec } from '../tables/specs.js'
import type { Table } from '../tables/table.js'
import { type CollectLimits, collector, type TakeOptions } from './collect.js'
import { withoutDuplicates } from './duplicates.js'
import { type Attempted, insertBlock } from './insert-block.js'
import { recentKeys } from './recent-keys.js'
import type { Refused } from './refused.js'
import type { Troubles } from './troubles.js'

/** What is read back into the recent set on start: this far, in milliseconds, and this many rows at most. */
const REBUILD_MS = 60 * 60_000
const REBUILD_ROWS = 250_000

export interface LoadParts {
  spec: StreamSpec
  table: Table
  position: PositionKeeper
  /** Reads the stream from a sequence on. */
  read: (from: number) => StreamReader
  /** Sequence of the stream's last message. */
  lastSequence: () => Promise<number>
  /** Keeps rows that the table refused where people find them. */
  divert: (refused: Refused[]) => Promise<void>
  /** Keeps a message of the stream that no rows can be made of as a dead letter. */
  bury: (seq: number, error: unknown) => Promise<void>
  /** Rows from before a person's deletion are left out. Default: none was deleted */
  tombstones?: Tombstones
  limits: CollectLimits
  metrics: WarehouseMetrics
  /** Is called with what fails, and when it works again. Default: none */
  troubles?: Pick<Troubles, 'failed' | 'cleared'>
  log: Log
}

/** Messages of a block, with the rows that were made of them. */
interface Taken {
  messages: JsMsg[]
  rows: Row[]
  unreadable: { seq: number; error: unknown }[]
}

/**
 * Owns a stream and loads it, block by block: announce, leave out duplicates, insert. One insert is under way at a
 * time, and the rows of one more block are made meanwhile. Failures are tried again for ever, and nothing is read
 * beyond that block.
 *
 * @param signal ends it at once; it throws Stopped
 * @param onReader is given the reader; stopping that ends the loading after the block at hand
 * @throws LostOwnership when another writer announced a block
 */
export async function loadStream(
  { spec, table, position, read, lastSequence, divert, bury, limits, metrics, troubles, log, ...more }: LoadParts,
  signal: AbortSignal,
  onReader: (reader: StreamReader) => void,
): Promise<void> {
  const { stream } = spec
  const { tombstones = NO_TOMBSTONES } = more
  const onFailure = (error: unknown, attempt: number) => {
    metrics.failures.inc({ stream })
    troubles?.failed(stream, error)
    if (attempt % 20 === 0) log.warn({ err: error, stream }, 'loading failed, trying again')
  }
  const retry = <T>(action: () => Promise<T>, fatal?: (error: unknown) => boolean) =>
    persistently(action, signal, onFailure, fatal)
  const isLost = (error: unknown) => error instanceof LostOwnership

  const announced = await retry(position.load)
  await retry(position.claim, isLost)
  const base = (spec.positions?.first ?? 1) - 1
  const [highest, streamLast] = [await retry(table.highest), await retry(lastSequence)]
  const plan = position.misfits
    ? resumeUnannounced(highest, streamLast, base)
    : resume(announced, highest, streamLast, base)
  if (position.misfits && plan.redo) await announce(plan.redo)
  const since = Date.now() - REBUILD_MS
  const latest = await retry(() => table.recent(new Date(since), REBUILD_ROWS))
  const recent = recentKeys(latest.length < REBUILD_ROWS ? since : latest.at(-1)!.receivedAt)
  for (const { text, receivedAt } of latest.reverse()) recent.add(text, receivedAt)
  metrics.takeovers.inc({ stream })
  log.info({ stream, ...plan, recent: recent.size }, 'loading')

  metrics.position.set({ stream }, (plan.redo?.first ?? plan.next) - 1 - plan.offset)
  // Nothing is left to be done, so nothing can show that it would work.
  if (!plan.redo && plan.next > streamLast + plan.offset) troubles?.cleared(stream)
  const reader = read((plan.redo?.first ?? plan.next) - plan.offset)
  onReader(reader)
  let filling: Taken = { messages: [], rows: [], unreadable: [] }
  const messages = collector(reader[Symbol.asyncIterator](), message => {
    try {
      if (message.headers?.has(LOADED_HEADER)) return 0
      const made = rowsOf(spec, message, plan.offset)
      for (const row of made) filling.rows.push(row)
      return made.length
    } catch (error) {
      filling.unreadable.push({ seq: message.seq, error })
      return 1
    }
  })
  let ahead: Promise<Taken> | undefined

  for (let state = plan; ahead || !messages.ended; ) state = await nextBlock(state)

  async function take(options: TakeOptions): Promise<Taken> {
    filling = { messages: [], rows: [], unreadable: [] }
    filling.messages = await messages.take(limits, options)
    return filling
  }

  async function nextBlock({ redo, cutShort, pending, next }: Plan): Promise<Plan> {
    const fixed = redo ?? (pending?.first === next ? pending : undefined)
    if (fixed && !redo) await announce(fixed)
    const until = fixed?.last ?? (pending ? pending.first - 1 : undefined)
    const taken = await (ahead ?? take({ until: until && until - plan.offset, whole: fixed !== undefined }))
    ahead = undefined
    const last = taken.messages.at(-1)
    if (messages.ended && (fixed || !last)) return { offset: plan.offset, next }
    const block: Block = fixed ?? { first: next, last: last ? last.seq + plan.offset : until! }
    if (!fixed && last) await announce(block, pending)
    // Positions at or below an announcement may have been written before, perhaps by somebody else.
    const loading = load(taken, block, cutShort ? 'cut short' : fixed || pending ? 'restored' : 'no')
    if (!fixed && !pending && !messages.ended) ahead = take({ meanwhile: loading })
    // When the loading fails, nobody waits for it any more.
    ahead?.catch(() => {})
    await loading
    await retry(() => position.complete(block), isLost)
    metrics.position.set({ stream }, block.last - plan.offset)
    troubles?.cleared(stream)
    return { offset: plan.offset, next: block.last + 1, ...(pending && fixed !== pending ? { pending } : {}) }
  }

  async function announce({ first, last }: Block, pending?: Block) {
    const value: Position = {
      first,
      last,
      ...(pending && { pending }),
      ...(plan.offset > 0 && { offset: plan.offset }),
    }
    await retry(() => position.announce(value), isLost)
  }

  async function load({ rows: taken, unreadable }: Taken, block: Block, attempted: Attempted) {
    // Here rather than when a message is read: a block may wait for its turn while its person is deleted.
    const rows = tombstones.size > 0 ? taken.filter(row => !spec.isForgotten?.(row, tombstones)) : taken
    for (const { seq, error } of unreadable) await retry(() => bury(seq, error))
    const unique = await retry(() => withoutDuplicates(rows, recent, keys => table.find(keys, block)))
    metrics.duplicates.inc({ stream, found: 'block' }, unique.inBlock)
    metrics.duplicates.inc({ stream, found: 'table' }, unique.inTable)
    metrics.lookups.inc({ stream }, unique.lookedUp)
    if (unique.rows.length === 0) return
    const end = metrics.insertSeconds.startTimer({ stream })
    const stored = await insertBlock(unique.rows, block, attempted, {
      table,
      stream,
      divert: keepRefused,
      signal,
      onFailure,
      verify: !spec.replaces,
    })
    end()
    metrics.inserts.inc({ stream })
    metrics.rows.inc({ stream }, stored.length)
    metrics.blockRows.observe({ stream }, stored.length)
    for (const { key } of stored) if (key) recent.add(keyText(key), Date.parse(key.receivedAt))
  }

  async function keepRefused(refused: Refused[]) {
    await retry(() => divert(refused))
    metrics.diverted.inc({ stream }, refused.length)
    log.error({ stream, rows: refused.length, reason: refused[0]?.reason }, 'rows were refused: see rejected_events')
  }
}
