import type { Row } from '../../rows/row.js'
import { isDataError } from '../../tables/table.js'

/** A row that the table rejects, and why. */
export interface RejectedRow {
  row: Row
  reason: string
}

/**
 * Finds the rows that the table rejects, by halving.
 *
 * @param check throws a data error when it cannot read the lines
 */
export async function findRejected(rows: Row[], check: (lines: string[]) => Promise<void>): Promise<RejectedRow[]> {
  if (rows.length === 0) return []
  try {
    await check(rows.map(({ line }) => line))
    return []
  } catch (error) {
    if (!isDataError(error)) throw error
    if (rows.length === 1) return [{ row: rows[0]!, reason: error.message.trim() }]
  }
  const middle = rows.length >> 1
  return [...(await findRejected(rows.slice(0, middle), check)), ...(await findRejected(rows.slice(middle), check))]
}
