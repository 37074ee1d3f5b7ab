import { pause, retryForever } from '@slotstream/runtime'
import type { Block } from '../../positions/position.js'
import { type Row, rowPlace } from '../../rows/row.js'
import { isDataError, type Table } from '../../tables/table.js'
import { findRejected, type RejectedRow } from './rejected-rows.js'

/** Pause before data that arrived broken is sent again, in milliseconds. */
const RESEND_MS = 500

export interface InsertBlockDeps {
  table: Table
  stream: string
  /** Stores rows that the table rejected. */
  storeRejected: (rejected: RejectedRow[]) => Promise<void>
  /**
   * True if the rows that were written are counted after a doubtful attempt. Not needed where the table makes one of
   * two equal rows.
   */
  verify: boolean
  signal: AbortSignal
  onFailure: (error: unknown, attempt: number) => void
}

/**
 * Remains of an earlier attempt: none; rows with their token, when it was cut short; or rows whose token is forgotten,
 * in a table that was restored from a backup.
 */
export type Attempted = 'no' | 'cut short' | 'restored'

/**
 * Inserts a block's rows so that each is in the table once, however often this is begun: the token names the block,
 * and a table that has it, or the part of it that falls into one of its partitions, skips it. So do the tables of
 * views, each by itself: a block that was cut short is sent as a whole, or they would lack what the table has.
 *
 * ClickHouse notes the token just before the rows become visible, and a server killed between the two skips rows it
 * doesn't have. So whenever an earlier attempt may have got that far, what landed is looked up, and what is missing
 * goes in under a token of its own.
 *
 * @returns the rows that are in the table now: all but the rejected ones
 */
export async function insertBlock(
  rows: Row[],
  block: Block,
  attempted: Attempted,
  { table, stream, storeRejected, verify, signal, onFailure }: InsertBlockDeps,
): Promise<Row[]> {
  let doubtful = attempted !== 'no'
  let accepted = rows
  let missing = rows
  let token = `${stream}:${block.first}-${block.last}`
  const retry = <T>(action: () => Promise<T>, fatal?: (error: unknown) => boolean) =>
    retryForever(
      action,
      signal,
      (error, attempt) => {
        doubtful = true
        onFailure(error, attempt)
      },
      fatal,
    )

  const leaveOutPresent = async () => {
    const present = await retry(() => table.present(block))
    missing = missing.filter(row => !present.has(rowPlace(row)))
  }

  if (attempted === 'restored' && verify) await leaveOutPresent()
  for (let supplement = 1; missing.length > 0; supplement++) {
    try {
      await retry(
        () =>
          table.insert(
            missing.map(({ line }) => line),
            token,
          ),
        isDataError,
      )
    } catch (error) {
      if (!isDataError(error)) throw error
      const rejected = await retry(() => findRejected(missing, lines => table.check(lines)))
      if (rejected.length > 0) await storeRejected(rejected)
      else {
        // The data is sound, so it was cut short on its way.
        doubtful = true
        onFailure(error, 0)
        await pause(RESEND_MS, signal)
      }
      const rejectedRows = new Set(rejected.map(({ row }) => row))
      accepted = accepted.filter(row => !rejectedRows.has(row))
      missing = missing.filter(row => !rejectedRows.has(row))
      supplement--
      continue
    }
    if (!doubtful || !verify) break
    await leaveOutPresent()
    token = `${stream}:${block.first}-${block.last}+${supplement}`
  }
  return accepted
}
