import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client'
import type { Block } from '../positions/position.js'
import type { RowKey } from '../rows/row.js'
import { BETWEEN, findKeys, type QueryRows, recentKeys } from './find-keys.js'
import type { StreamSpec } from './specs.js'

/** Settings for JSON in rows: text stays text, and of two equal paths the first is stored. */
export const AS_LOADED = {
  input_format_try_infer_dates: 0,
  input_format_try_infer_datetimes: 0,
  type_json_skip_duplicated_paths: 1,
} as const

/** Settings for reading rows as one block, whatever its size. */
const READ_ROWS = {
  ...AS_LOADED,
  date_time_input_format: 'best_effort',
  input_format_parallel_parsing: 0,
  max_insert_block_size: '10000000',
  min_insert_block_size_rows: '10000000',
  min_insert_block_size_bytes: '0',
  async_insert: 0,
} as const

/**
 * On a cluster: an insert is done when most replicas have it, and queries see all that is done, so that another
 * replica can be asked after one is lost.
 */
const QUORUM = { insert_quorum: 'auto', insert_quorum_parallel: 0 } as const
const SEES_ALL = { select_sequential_consistency: '1' } as const

/** The table of a loader. Errors of ClickHouse and of the network pass through. */
export interface Table {
  /** Inserts lines of JSON as one block. A token that the table remembers makes it a no-op. */
  insert(lines: string[], token: string): Promise<void>
  /** Reads the lines as `insert` does and throws them away. */
  check(lines: string[]): Promise<void>
  /** Reads the highest `stream_seq` of the stream; the position before its first, 0 for most, when there is none. */
  highest(): Promise<number>
  /** Places (`<seq>/<index>`) of a block's rows that are in the table. */
  present(block: Block): Promise<Set<string>>
  /** Finds the keys that are in the table, outside of the block; as `keyText`. */
  find(keys: RowKey[], block: Block): Promise<Set<string>>
  /** Keys received since a time in the stream, or in those it took over from, newest first, `limit` at most. */
  recent(since: Date, limit: number): Promise<{ text: string; receivedAt: number }[]>
}

/**
 * Creates the view of a table that a loader of one stream has.
 *
 * @param replicated whether the tables are replicated on a cluster
 */
export function warehouseTable(client: ClickHouseClient, spec: StreamSpec, replicated = false): Table {
  const table = `slotstream.${spec.table}`
  const { key, positions, tookOver } = spec
  // Other streams of its kind may be in the same table, and none of their messages in this one.
  const ownRange = { from: positions?.first ?? 1, to: positions?.last ?? Number.MAX_SAFE_INTEGER }
  // What it took over from may have a message as well.
  const ofStreams = tookOver ? { ...ownRange, from: 1 } : ownRange
  let structure: string | undefined

  async function send(query: string, lines: string[], settings: Record<string, string | number>) {
    const result = await client.exec({
      query,
      values: Readable.from([Buffer.from(lines.join('\n'))], { objectMode: false }),
      clickhouse_settings: { ...READ_ROWS, ...settings },
    })
    for await (const _ of result.stream);
  }

  const rows: QueryRows = async <T>(query: string, params: Record<string, unknown> = {}) => {
    const result = await client.query({
      query,
      query_params: params,
      format: 'JSONEachRow',
      use_multipart_params_auto: true,
      ...(replicated && { clickhouse_settings: SEES_ALL }),
    })
    return result.json<T>()
  }

  return {
    insert: (lines, token) =>
      send(`INSERT INTO ${table} FORMAT JSONEachRow`, lines, {
        insert_deduplicate: 1,
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        ...(replicated && QUORUM),
      }),

    async check(lines) {
      structure ??= (await rows<{ name: string; type: string }>(`DESCRIBE TABLE ${table}`))
        .map(({ name, type }) => `${name} ${type}`)
        .join(', ')
      await send(`INSERT INTO FUNCTION null('${structure.replace(/['\\]/g, '\\$&')}') FORMAT JSONEachRow`, lines, {})
    },

    async highest() {
      const [row] = await rows<{ highest: string }>(
        `SELECT toString(max(stream_seq)) AS highest FROM ${table} WHERE ${BETWEEN}`,
        ownRange,
      )
      return Math.max(ownRange.from - 1, Number(row?.highest ?? 0))
    },

    async present({ first, last }) {
      const places = await rows<{ place: string }>(
        `SELECT concat(toString(stream_seq), '/', toString(batch_index)) AS place FROM ${table}
         WHERE stream_seq BETWEEN {first:UInt64} AND {last:UInt64}
         SETTINGS select_sequential_consistency = 1`,
        { first, last },
      )
      return new Set(places.map(({ place }) => place))
    },

    find: async (keys, block) => (key ? findKeys(rows, { table, key }, keys, block) : new Set()),
    recent: async (since, limit) => (key ? recentKeys(rows, { table, key }, ofStreams, since, limit) : []),
  }
}

/** Errors that say the data can't be read, as opposed to a server in trouble. */
const DATA_ERRORS =
  /^(CANNOT_PARSE|CANNOT_READ|CANNOT_CONVERT|CANNOT_INSERT_NULL|INCORRECT_DATA|TYPE_MISMATCH|ARGUMENT_OUT_OF_BOUND|VALUE_IS_OUT_OF_RANGE|DECIMAL_OVERFLOW|TOO_LARGE|TOO_DEEP|DUPLICATE_COLUMN|ILLEGAL_TYPE|UNKNOWN_ELEMENT)/

/** Tells whether an error says that the data cannot be read. */
export function isDataError(error: unknown): error is ClickHouseError {
  return error instanceof ClickHouseError && DATA_ERRORS.test(error.type ?? '')
}
