import { uuidv7 } from '@slotstream/protocol'
import type { Block } from '../../positions/position.js'
import { type Row, rowPlace } from '../../rows/row.js'
import type { Table } from '../../tables/table.js'

/**
 * Inserts the rows of a block into the table beside, each once: those of an earlier attempt are looked up, which is
 * cheap because there are few.
 *
 * @param isFirst whether no earlier attempt may have left a token: ClickHouse may know one whose rows are lost
 */
export async function writeBeside(
  rows: readonly Row[],
  block: Block,
  table: Pick<Table, 'insert' | 'present'> | undefined,
  isFirst: boolean,
): Promise<void> {
  if (!table || rows.length === 0) return
  const present = await table.present(block)
  const missing = rows.filter(row => !present.has(rowPlace(row)))
  if (missing.length === 0) return
  const token = `beside:${block.first}-${block.last}${isFirst ? '' : `:${uuidv7()}`}`
  await table.insert(
    missing.map(({ line }) => line),
    token,
  )
}
