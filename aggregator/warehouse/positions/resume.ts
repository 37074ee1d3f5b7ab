import type { Block, Position } from './position.js'

/** The point from which a loader goes on. All in stream positions: stream sequence + offset. */
export interface ResumePoint {
  offset: number
  /** An announced block, to be done again with the same bounds. */
  redo?: Block
  /** Writing `redo` was cut short: the table knows its token, if it has any of its rows. */
  cutShort?: true
  /** Position from which reading goes on after that. */
  next: number
  /** A block announced earlier, to be done when `next` reaches it. */
  pending?: Block
}

/** Positions that are read again where the announcement can't be read: more than a block of the default size has. */
const LOOK_BACK = 100_000

/**
 * Returns where to go on without the announcement, which can't be read: the last block may have been stored in part.
 * Rows that the table has are left out when it is loaded again.
 */
export function resumeUnannounced(highest: number, streamLast: number, base = 0): ResumePoint {
  const point = resume(undefined, highest, streamLast, base)
  if (point.offset !== base || highest <= base) return point
  return { ...point, redo: { first: Math.max(base + 1, highest - LOOK_BACK + 1), last: highest } }
}

/**
 * Returns where to go on, from the announcement, the highest position in the table, and the stream's last sequence.
 *
 * An announced block that isn't done is done again even when the table has its last row: a block that touches several
 * of the table's partitions lands part by part, and in the tables of views later. A table that ends before the
 * announced block was restored from a backup (or what came before held only duplicates): what is missing comes first,
 * in other blocks, and the announced one keeps its bounds, since another writer may yet wake up and insert it.
 *
 * @param base offset of a stream that was never recreated: where its positions begin
 */
export function resume(announced: Position | undefined, highest: number, streamLast: number, base = 0): ResumePoint {
  const offset = announced?.offset ?? base
  const reached = Math.max(highest, announced?.pending?.last ?? 0, announced?.last ?? 0)
  // The stream counts from 1 again, or lost its end: its sequences stand for other messages now. Read all of it, as
  // positions that no row has; what is in the table is found as duplicates.
  if (streamLast + offset < reached) return { offset: reached, next: reached + 1 }
  if (!announced) return { offset, next: highest + 1 }
  const { first, last, pending, done } = announced
  if (pending && highest >= pending.first) return after(pending)
  if (highest < first - 1) return { offset, next: highest + 1, pending: pending ?? { first, last } }
  return { ...after({ first, last }), ...(pending ? { pending } : {}) }

  function after(block: Block): ResumePoint {
    if (highest > block.last) return { offset, next: highest + 1 }
    const next = block.last + 1
    if (block === pending) return { offset, redo: block, next }
    if (!done) return { offset, redo: block, cutShort: true, next }
    // The end of a block may have been rows that were left out, or the table was restored from a backup.
    return highest === block.last ? { offset, next } : { offset, redo: block, next }
  }
}
