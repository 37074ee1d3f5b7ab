import type { Readable } from 'node:stream'
import type { ClickHouseClient } from '@clickhouse/client'
import type { Block } from '../warehouse/positions/position.js'

/** Rows of a file at most: they are sorted in memory, and a file of some tens of MB reads well. */
const FILE_ROWS = 250_000

/** Sorting takes this many bytes of memory at most; the rest goes to the disk. */
const SORT_BYTES = '268435456'

/** On a cluster: no replica answers that lacks what was loaded. */
const SEES_ALL = { select_sequential_consistency: '1' } as const

/** A range that is to become a file. */
export interface Portion extends Block {
  /** The day on which its first row was received, in UTC, `YYYY-MM-DD`. */
  date: string
}

/** A table, as the lake reads it. Errors of ClickHouse and of the network pass through. */
export interface TableRanges {
  /**
   * Finds the beginning of a range: as much of it as a file holds, up to the last row that is there; undefined without
   * rows.
   */
  portion(range: Block): Promise<Portion | undefined>
  /** Reads the rows of a range as Parquet, in the order of the stream. */
  parquet(range: Block): Promise<Readable>
}

/** Creates the reader of a table's ranges. Default: portions of `FILE_ROWS` rows */
export function tableRanges(
  clickhouse: ClickHouseClient,
  name: string,
  signal: AbortSignal,
  fileRows = FILE_ROWS,
): TableRanges {
  const table = `slotstream.${name}`
  return {
    async portion({ first, last }) {
      const result = await clickhouse.query({
        query: `SELECT count() AS rows, max(stream_seq) AS last, toString(toDate(min(received_at))) AS date FROM (
                  SELECT stream_seq, received_at FROM ${table} WHERE stream_seq BETWEEN {first:UInt64} AND {last:UInt64}
                  ORDER BY stream_seq LIMIT {limit:UInt64})`,
        query_params: { first, last, limit: fileRows },
        format: 'JSONEachRow',
        clickhouse_settings: SEES_ALL,
        abort_signal: signal,
      })
      const [range] = await result.json<{ rows: string; last: string; date: string }>()
      const rows = Number(range?.rows ?? 0)
      if (!range || rows === 0) return undefined
      // The last of so many may not be the last of its message.
      return { first, last: Number(range.last) - (rows < fileRows ? 0 : 1), date: range.date }
    },

    async parquet({ first, last }) {
      const { stream } = await clickhouse.exec({
        query: `SELECT * FROM ${table} WHERE stream_seq BETWEEN {first:UInt64} AND {last:UInt64}
                ORDER BY stream_seq, batch_index FORMAT Parquet`,
        query_params: { first, last },
        clickhouse_settings: {
          ...SEES_ALL,
          max_bytes_before_external_sort: SORT_BYTES,
          output_format_parquet_compression_method: 'zstd',
          // JSON stands there as text, and readers compare texts: a path is `/camping`, not `\\/camping`.
          output_format_json_escape_forward_slashes: 0,
          // The lake has time, and a person may wait for a query.
          max_threads: 1,
          // An error comes as one, not as the end of a file.
          wait_end_of_query: 1,
        },
        abort_signal: signal,
      })
      return stream
    },
  }
}
