import type { Block } from './position.js'
import { type Refused, refusedRows } from './refused.js'
import { pause, persistently } from './retry.js'
import { type Row, rowPlace } from './rows/row.js'
import { isDataError, type Table } from './table.js'

/** Pause before data that arrived broken is sent again, in milliseconds. */
const RESEND_MS = 500

export interface InsertBlockParts {
  table: Table
  stream: string
  /** Keeps rows that the table refused where people find them. */
  divert: (refused: Refused[]) => Promise<void>
  /** Whether to count what landed after a doubtful attempt. Not needed where the table makes one of two equal rows. */
  verify: boolean
  signal: AbortSignal
  onFailure: (error: unknown, attempt: number) => void
}

/**
 * Inserts a block's rows so that each is in the table once, however often this is begun: the token names the block,
 * and a table that has it, or the part of it that falls into one of its partitions, skips it.
 *
 * ClickHouse notes the token just before the rows become visible, and a server killed between the two skips rows it
 * doesn't have. So whenever an earlier attempt may have got that far, what landed is looked up, and what is missing
 * goes in under a token of its own.
 *
 * @param doubtful whether the block was announced before, so that some or all of it may be in the table
 *
 * @returns the rows that are in the table now: all but the refused ones
 */
export async function insertBlock(
  rows: Row[],
  block: Block,
  doubtful: boolean,
  { table, stream, divert, verify, signal, onFailure }: InsertBlockParts,
): Promise<Row[]> {
  let accepted = rows
  let missing = rows
  let token = `${stream}:${block.first}-${block.last}`
  const retry = <T>(action: () => Promise<T>, fatal?: (error: unknown) => boolean) =>
    persistently(
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

  // A table restored from a backup may have the rows and not know the token.
  if (doubtful && verify) await leaveOutPresent()
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
      const refused = await retry(() => refusedRows(missing, lines => table.check(lines)))
      if (refused.length > 0) await divert(refused)
      else {
        // The data is sound, so it was cut short on its way.
        doubtful = true
        onFailure(error, 0)
        await pause(RESEND_MS, signal)
      }
      const bad = new Set(refused.map(({ row }) => row))
      accepted = accepted.filter(row => !bad.has(row))
      missing = missing.filter(row => !bad.has(row))
      supplement--
      continue
    }
    if (!doubtful || !verify) break
    await leaveOutPresent()
    token = `${stream}:${block.first}-${block.last}+${supplement}`
  }
  return accepted
}
