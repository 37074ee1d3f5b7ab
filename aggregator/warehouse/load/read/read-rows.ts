import type { JsMsg } from '@nats-io/jetstream'
import type { Row } from '../../rows/row.js'
import type { BlockLimits, BlockReader, ReadOptions } from './block-reader.js'

/** Messages of a block, with the rows that they yield. */
export interface RowBlock {
  messages: JsMsg[]
  rows: Row[]
  /** Rows of the table beside. */
  beside: Row[]
  /** Messages that yield no rows because they are not what the stream should hold. */
  unreadable: { seq: number; error: unknown }[]
}

/**
 * Reads the messages of the next block and makes their rows as they arrive.
 *
 * @param rowsOf makes the rows of a message, and throws when it is unreadable
 * @param besideOf makes the rows of the table beside, of a message that has no others. Default: there are none
 */
export async function readRows(
  reader: BlockReader,
  rowsOf: (message: JsMsg) => Row[],
  limits: BlockLimits,
  options: ReadOptions,
  besideOf: (message: JsMsg) => Row[] = () => [],
): Promise<RowBlock> {
  const rows: Row[] = []
  const beside: Row[] = []
  const unreadable: RowBlock['unreadable'] = []
  const countRows = (message: JsMsg): number => {
    try {
      const added = rowsOf(message)
      for (const row of added) rows.push(row)
      if (added.length > 0) return added.length
      const others = besideOf(message)
      for (const row of others) beside.push(row)
      return others.length
    } catch (error) {
      unreadable.push({ seq: message.seq, error })
      return 1
    }
  }
  return { messages: await reader.read(countRows, limits, options), rows, beside, unreadable }
}
