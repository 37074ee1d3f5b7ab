import type { JsMsg } from '@nats-io/jetstream'
import type { Row } from '../../rows/row.js'
import type { BlockLimits, BlockReader, ReadOptions } from './block-reader.js'

/** Messages of a block, with the rows that they yield. */
export interface RowBlock {
  messages: JsMsg[]
  rows: Row[]
  /** Messages that yield no rows because they are not what the stream should hold. */
  unreadable: { seq: number; error: unknown }[]
}

/**
 * Reads the messages of the next block and makes their rows as they arrive.
 *
 * @param rowsOf makes the rows of a message, and throws when it is unreadable
 */
export async function readRows(
  reader: BlockReader,
  rowsOf: (message: JsMsg) => Row[],
  limits: BlockLimits,
  options: ReadOptions,
): Promise<RowBlock> {
  const rows: Row[] = []
  const unreadable: RowBlock['unreadable'] = []
  const countRows = (message: JsMsg): number => {
    try {
      const added = rowsOf(message)
      for (const row of added) rows.push(row)
      return added.length
    } catch (error) {
      unreadable.push({ seq: message.seq, error })
      return 1
    }
  }
  return { messages: await reader.read(countRows, limits, options), rows, unreadable }
}
