import type { Row } from '../rows/row.js'
import { isDataError } from '../tables/table.js'

export interface Refused {
  row: Row
  reason: string
}

/** Rows that the table refuses, found by halving. `check` throws a data error when it can't read the lines. */
export async function refusedRows(rows: Row[], check: (lines: string[]) => Promise<void>): Promise<Refused[]> {
  if (rows.length === 0) return []
  try {
    await check(rows.map(({ line }) => line))
    return []
  } catch (error) {
    if (!isDataError(error)) throw error
    if (rows.length === 1) return [{ row: rows[0]!, reason: error.message.trim() }]
  }
  const middle = rows.length >> 1
  return [...(await refusedRows(rows.slice(0, middle), check)), ...(await refusedRows(rows.slice(middle), check))]
}
