import { NO_TOMBSTONES } from '@slotstream/runtime'
import type { Block } from '../../positions/position.js'
import { keyText, type Row } from '../../rows/row.js'
import { type LoadDeps, type Retry, tellFailure } from '../load-deps.js'
import type { RowBlock } from '../read/read-rows.js'
import { withoutDuplicates } from './duplicates.js'
import { type Attempted, insertBlock } from './insert-block.js'
import type { RecentKeys } from './recent-keys.js'
import type { RejectedRow } from './rejected-rows.js'
import { writeBeside } from './write-beside.js'

/** Writes the rows of an announced block into the table, each once, however often it is called for the block. */
export type WriteBlock = (rowBlock: RowBlock, block: Block, attempted: Attempted) => Promise<void>

/**
 * Makes the function that writes blocks: it leaves out duplicates and rows of deleted persons, inserts the others, and
 * stores what the table rejects, and what yields no rows, elsewhere.
 *
 * @param recent keys of rows that are in the table; those of the written rows are added
 * @param abort ends it at once; it throws Stopped
 */
export function createBlockWriter(deps: LoadDeps, recent: RecentKeys, retry: Retry, abort: AbortSignal): WriteBlock {
  const { spec, table, deadLetter, tombstones = NO_TOMBSTONES, metrics, log } = deps
  const { stream } = spec
  const onFailure = tellFailure(deps)

  function withoutForgotten(rows: Row[]): Row[] {
    return tombstones.size > 0 ? rows.filter(row => !spec.isForgotten?.(row, tombstones)) : rows
  }

  async function storeBeside(rows: Row[], block: Block, attempted: Attempted): Promise<void> {
    let isFirst = attempted === 'no'
    await retry(() => {
      const writing = writeBeside(rows, block, deps.beside, isFirst)
      isFirst = false
      return writing
    })
  }

  async function storeRejected(rejected: RejectedRow[]): Promise<void> {
    await retry(() => deps.storeRejected(rejected))
    metrics.rejectedRows.inc({ stream }, rejected.length)
    log.error({ stream, rows: rejected.length, reason: rejected[0]?.reason }, 'rows were rejected: see rejected_events')
  }

  return async ({ rows: read, beside, unreadable }, block, attempted) => {
    // Here rather than when a message is read: a block may wait for its turn while its person is deleted.
    const rows = withoutForgotten(read)
    for (const { seq, error } of unreadable) await retry(() => deadLetter(seq, error))
    if (beside.length > 0) await storeBeside(withoutForgotten(beside), block, attempted)
    const unique = await retry(() => withoutDuplicates(rows, recent, keys => table.find(keys, block)))
    metrics.duplicates.inc({ stream, found: 'block' }, unique.inBlock)
    metrics.duplicates.inc({ stream, found: 'table' }, unique.inTable)
    metrics.lookups.inc({ stream }, unique.lookedUp)
    if (unique.rows.length === 0) return
    const end = metrics.insertSeconds.startTimer({ stream })
    const stored = await insertBlock(unique.rows, block, attempted, {
      table,
      stream,
      storeRejected,
      signal: abort,
      onFailure,
      verify: !spec.replaces,
    })
    end()
    metrics.inserts.inc({ stream })
    metrics.rows.inc({ stream }, stored.length)
    metrics.blockRows.observe({ stream }, stored.length)
    for (const { key } of stored) if (key) recent.add(keyText(key), Date.parse(key.receivedAt))
  }
}
