import { type Check, isCount } from '@slotstream/protocol'

/** A contiguous range of positions, both ends included. */
export interface Block {
  first: number
  last: number
}

/** The announcement of a block, kept in NATS KV. */
export interface Position extends Block {
  /** The block is in the table, and in the tables of the views over it. */
  done?: true
  /** A block that was announced earlier and whose turn comes after what is missing before it. */
  pending?: Block
  /** The writer. Two writers that announce the same block must not both believe that it is theirs. */
  by?: string
  /** Added to a stream's sequences when the stream was recreated and counts from 1 again. */
  offset?: number
}

/** Parses the announcement of a block as the bucket has it. */
export function parsePosition(raw: unknown): Check<Position> {
  const { done, pending, by, offset } = (raw ?? {}) as Partial<Record<keyof Position, unknown>>
  if (!isBlock(raw)) return no('a position needs first and last, whole numbers')
  if (done !== undefined && done !== true) return no('done is neither true nor absent')
  if (pending !== undefined && !isBlock(pending)) return no('pending is no block')
  if (by !== undefined && typeof by !== 'string') return no('by is not text')
  if (offset !== undefined && !isCount(offset)) return no('offset is not a whole number')
  return { ok: true, value: raw as Position }
}

/**
 * Returns whether a value is a block. The first of a stream that begins later than at 1 is announced as empty: `last`
 * before `first`.
 */
function isBlock(raw: unknown): raw is Block {
  const { first, last } = (raw ?? {}) as Partial<Block>
  return isCount(first) && isCount(last) && last >= first - 1 && isCount(last + 1)
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}
