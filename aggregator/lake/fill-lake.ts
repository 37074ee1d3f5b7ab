import { rm } from 'node:fs/promises'
import { type Log, pause, retryForever } from '@slotstream/runtime'
import type { Block } from '../warehouse/positions/position.js'
import { covered, type LakeFolder } from './lake-files.js'
import type { LakeMetrics } from './metrics.js'
import type { TableRanges } from './table-ranges.js'

/** Time between two checks whether a person's deletion is over, in milliseconds. */
const QUIET_MS = 500

export interface FillDeps {
  stream: string
  /** Positions of the stream begin after this. */
  base: number
  folder: LakeFolder
  table: TableRanges
  /** Makes sure that the lake is this installation's; throws. */
  claim: () => Promise<void>
  /** Everything up to here is in the table; undefined while that can't be said. */
  complete: () => Promise<number | undefined>
  /** Asks NATS whether this process still owns the stream. */
  verify: () => Promise<boolean>
  /**
   * Returns a number that is the same as long as no person is deleted; undefined while one is: rows that were read
   * before may be that person's. Default: no person is deleted
   */
  quiet?: () => Promise<number | undefined>
  /** Time between two looks at what is new, in milliseconds. */
  everyMs: number
  metrics: LakeMetrics
  log: Log
  /** Ends it; it throws Stopped. */
  signal: AbortSignal
}

/**
 * Copies a stream's rows from its table into the lake, again and again. The files say by their names what is copied, so
 * each row is in one of them: a writer that begins goes on after the last, and removes what others left half-written.
 */
export async function fillLake(deps: FillDeps): Promise<never> {
  const { stream, base, folder, claim, complete, everyMs, metrics, log, signal } = deps
  const retry = <T>(action: () => Promise<T>) =>
    retryForever(action, signal, (error, attempt) => {
      metrics.failures.inc({ stream })
      if (attempt % 20 === 0) log.warn({ err: error, stream }, 'the lake could not be written, trying again')
    })

  let next = await retry(async () => {
    await claim()
    await folder.clear(stream)
    const files = await folder.list(stream)
    // Left by a writer that was paused between asking whether it may write and doing so.
    for (const { path } of covered(files)) {
      log.warn({ path }, 'removed: another file of the lake has the same rows')
      await rm(path, { force: true })
    }
    return Math.max(base, ...files.map(({ last }) => last)) + 1
  })
  for (;;) {
    const end = (await retry(complete)) ?? 0
    while (next <= end) {
      const last = await retry(() => copyPortion(deps, { first: next, last: end }))
      if (!last) break
      next = last + 1
    }
    metrics.position.set({ stream }, next - 1)
    await pause(everyMs, signal)
  }
}

/**
 * Copies as much of a range as a file holds, and returns the end of that; undefined when the table has none of its
 * rows: it may have lost them for a while.
 */
async function copyPortion(
  { stream, folder, table, verify, quiet = async () => 0, metrics, signal }: FillDeps,
  range: Block,
): Promise<number | undefined> {
  let before = await quiet()
  for (; before === undefined; before = await quiet()) await pause(QUIET_MS, signal)
  const portion = await table.portion(range)
  if (!portion) return undefined
  const mayKeep = async () => (await verify()) && (await quiet()) === before
  const done = metrics.seconds.startTimer({ stream })
  const bytes = await folder.write(stream, portion, portion.date, () => table.parquet(portion), mayKeep)
  done()
  metrics.files.inc({ stream })
  metrics.bytes.inc({ stream }, bytes)
  return portion.last
}
