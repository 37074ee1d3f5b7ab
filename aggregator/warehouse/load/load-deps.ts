import { type Log, retryForever, type StreamReader, type Tombstones } from '@slotstream/runtime'
import type { WarehouseMetrics } from '../metrics.js'
import { LostOwnership, type PositionKeeper } from '../positions/position.js'
import type { StreamSpec } from '../tables/specs.js'
import type { Table } from '../tables/table.js'
import type { BlockLimits } from './read/block-reader.js'
import type { Troubles } from './troubles.js'
import type { RejectedRow } from './write/rejected-rows.js'

/** Dependencies of loading a stream. */
export interface LoadDeps {
  spec: StreamSpec
  table: Table
  position: PositionKeeper
  /** Reads the stream from a sequence on. */
  read: (from: number) => StreamReader
  /** Sequence of the stream's last message. */
  lastSequence: () => Promise<number>
  /** Stores rows that the table rejected in `rejected_events`. */
  storeRejected: (rejected: RejectedRow[]) => Promise<void>
  /** Stores a message of the stream that yields no rows as a dead letter. */
  deadLetter: (seq: number, error: unknown) => Promise<void>
  /** Rows from before a person's deletion are left out. Default: none was deleted */
  tombstones?: Tombstones
  limits: BlockLimits
  metrics: WarehouseMetrics
  /** Called with what fails, and when it works again. Default: none */
  troubles?: Pick<Troubles, 'failed' | 'cleared'>
  log: Log
}

/** Tries an action until it works. Rejects when the stream has another owner, and when loading ends. */
export type Retry = <T>(action: () => Promise<T>) => Promise<T>

/** Makes the function that counts, tells and logs a failure. Every twentieth in a row is logged. */
export function tellFailure({ spec: { stream }, metrics, troubles, log }: LoadDeps) {
  return (error: unknown, attempt: number): void => {
    metrics.failures.inc({ stream })
    troubles?.failed(stream, error)
    if (attempt % 20 === 0) log.warn({ err: error, stream }, 'loading failed, trying again')
  }
}

/** @param abort ends it at once; it throws Stopped */
export function createRetry(deps: LoadDeps, abort: AbortSignal): Retry {
  const onFailure = tellFailure(deps)
  const isLost = (error: unknown) => error instanceof LostOwnership
  return action => retryForever(action, abort, onFailure, isLost)
}
