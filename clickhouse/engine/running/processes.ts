import type { EngineConnection } from '../connections/connections.js'

/** How far a running query has come, in ClickHouse's words. Whole numbers in text, as a 64-bit one may be any. */
export interface QueryProgress {
  read_rows: string
  read_bytes: string
  written_rows: string
  written_bytes: string
  /** Rows that the engine expects, "0" while it doesn't know. */
  total_rows_to_read: string
  elapsed_ns: string
  /** Bytes at this moment. */
  memory_usage: string
}

const COLUMNS: Record<keyof QueryProgress, string> = {
  read_rows: 'read_rows',
  read_bytes: 'read_bytes',
  written_rows: 'written_rows',
  written_bytes: 'written_bytes',
  total_rows_to_read: 'total_rows_approx',
  elapsed_ns: 'toUInt64(elapsed * 1e9)',
  memory_usage: 'greatest(memory_usage, 0)',
}

const SELECT_PROCESSES = `SELECT Settings['log_comment'], ${Object.values(COLUMNS)
  .map(column => `toString(${column})`)
  .join(', ')} FROM system.processes`

/** Reads the answer to a look at `system.processes`, a JSON array per query, by the id of its connection. */
export function readProcesses(lines: string): Map<string, QueryProgress> {
  const names = Object.keys(COLUMNS)
  const rows = lines.split('\n').filter(line => line !== '')
  return new Map(
    rows.map(line => {
      const [id, ...values] = JSON.parse(line) as string[]
      return [id!, Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as QueryProgress]
    }),
  )
}

/**
 * Reads what runs. Calls during a read get its answer, so that there is one at a time, however many calls there are.
 *
 * @param connection where no query runs for long, as a look waits for it
 */
export function createLook(connection: EngineConnection): () => Promise<Map<string, QueryProgress>> {
  let looking: Promise<Map<string, QueryProgress>> | undefined
  return () => {
    looking ??= connection
      .queryAsync(SELECT_PROCESSES, { format: 'JSONCompactEachRow' })
      .then(result => readProcesses(result.text()))
      .finally(() => {
        looking = undefined
      })
    return looking
  }
}
