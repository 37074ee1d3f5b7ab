import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, TupleParam } from '@clickhouse/client'
import type { Sender } from '@slotstream/protocol'
import type { Block } from '../positions/position.js'
import { keyText, type RowKey } from '../rows/row.js'
import type { StreamSpec } from './specs.js'

/** Bytes of keys per look-up, about 1,500 keys: an engine that makes a query of a parameter takes 256 KB of it. */
const LOOKUP_BYTES = 100_000

/** A message whose client named no time is looked for among what was received this long before it, in milliseconds. */
const UNTIMED_LOOKBACK_MS = 7 * 24 * 3600 * 1000

/** What becomes of JSON in rows: text stays text, and of two equal paths the first counts. */
export const AS_LOADED = {
  input_format_try_infer_dates: 0,
  input_format_try_infer_datetimes: 0,
  type_json_skip_duplicated_paths: 1,
} as const

/** How rows are read: as one block, whatever its size. */
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
 * On a cluster: an insert counts when most replicas have it, and whoever looks sees all that counted, so that another
 * replica can be asked after one is lost.
 */
const QUORUM = { insert_quorum: 'auto', insert_quorum_parallel: 0 } as const
const SEES_ALL = { select_sequential_consistency: '1' } as const

/** What a loader needs of its table. Errors of ClickHouse and of the network pass through. */
export interface Table {
  /** Inserts lines of JSON as one block. A token that the table remembers makes it a no-op. */
  insert(lines: string[], token: string): Promise<void>
  /** Reads the lines as `insert` does and throws them away. */
  check(lines: string[]): Promise<void>
  /** Highest `stream_seq` of the stream's; just before its first, 0 that is for most, when there is none. */
  highest(): Promise<number>
  /** Places (`<seq>/<index>`) of a block's rows that are in the table. */
  present(block: Block): Promise<Set<string>>
  /** Which of the keys are in the table, outside of the block; as `keyText`. */
  find(keys: RowKey[], block: Block): Promise<Set<string>>
  /** Keys received since a time in the stream, or in those it took over from, newest first, `limit` at most. */
  recent(since: Date, limit: number): Promise<{ text: string; receivedAt: number }[]>
}

/** @param replicated whether the tables are replicated on a cluster */
export function warehouseTable(client: ClickHouseClient, spec: StreamSpec, replicated = false): Table {
  const table = `slotstream.${spec.table}`
  const { key, positions, tookOver } = spec
  const kind = key?.sender ?? "'public'"
  // Other streams of its kind may be in the same table, and none of their messages in this one.
  const own = { from: positions?.first ?? 1, to: positions?.last ?? Number.MAX_SAFE_INTEGER }
  const ofStream = 'stream_seq BETWEEN {from:UInt64} AND {to:UInt64}'
  const only = key?.where ? ` AND ${key.where}` : ''
  let structure: string | undefined

  async function send(query: string, lines: string[], settings: Record<string, string | number>) {
    const result = await client.exec({
      query,
      values: Readable.from([Buffer.from(lines.join('\n'))], { objectMode: false }),
      clickhouse_settings: { ...READ_ROWS, ...settings },
    })
    for await (const _ of result.stream);
  }

  async function rows<T>(query: string, params: Record<string, unknown> = {}): Promise<T[]> {
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
        `SELECT toString(max(stream_seq)) AS highest FROM ${table} WHERE ${ofStream}`,
        own,
      )
      return Math.max(own.from - 1, Number(row?.highest ?? 0))
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

    async find(keys, { first, last }) {
      const found = new Set<string>()
      if (!key) return found
      const outside = 'NOT (stream_seq BETWEEN {first:UInt64} AND {last:UInt64})'
      const select = `SELECT ${key.visitor} AS visitor, ${kind} AS kind, ${key.id} AS id FROM ${table} WHERE site_id = {siteId:String}${only}`
      for (const { siteId, timed, part } of chunks(keys)) {
        const matches = timed
          ? await rows<Found>(
              `${select} AND (${key.time}, ${key.id}) IN {keys:Array(Tuple(DateTime64(3, 'UTC'), String))} AND ${outside}`,
              {
                siteId,
                keys: part.map(({ time, id }) => new TupleParam([time!.slice(0, -1).replace('T', ' '), id])),
                first,
                last,
              },
            )
          : await rows<Found>(
              `${select} AND ${key.id} IN {ids:Array(String)}
               AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ${outside}`,
              { siteId, ids: part.map(({ id }) => id), since: earliest(part) - UNTIMED_LOOKBACK_MS, first, last },
            )
        for (const { visitor, kind, id } of matches) found.add(keyText({ siteId, sender: kind, visitor, id }))
      }
      return found
    },

    async recent(since, limit) {
      if (!key) return []
      const latest = await rows<Found & { site_id: string; received: string }>(
        `SELECT site_id, ${key.visitor} AS visitor, ${kind} AS kind, ${key.id} AS id, toString(toUnixTimestamp64Milli(received_at)) AS received
         FROM ${table} WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ${ofStream}${only}
         ORDER BY received_at DESC LIMIT {limit:UInt32}`,
        { since: since.getTime(), limit, ...own, ...(tookOver && { from: 1 }) },
      )
      return latest.map(({ site_id, visitor, kind, id, received }) => ({
        text: keyText({ siteId: site_id, sender: kind, visitor, id }),
        receivedAt: Number(received),
      }))
    },
  }
}

/** What a look-up reads of a row. Not `sender`: an alias of that name would be taken for the column. */
interface Found {
  visitor: string
  kind: Sender
  id: string
}

/** What else stands where a time should is refused with its row; a look-up must not fail on it. */
const STORED_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Keys in portions of one site, with a time or without. */
function* chunks(keys: RowKey[]) {
  const groups = new Map<string, RowKey[]>()
  for (const key of keys) {
    const name = `${STORED_TIME.test(key.time ?? '') ? 't' : 'u'}${key.siteId}`
    const group = groups.get(name)
    if (group) group.push(key)
    else groups.set(name, [key])
  }
  for (const [name, group] of groups) {
    const [timed, siteId] = [name[0] === 't', name.slice(1)]
    let part: RowKey[] = []
    let bytes = 0
    for (const key of group) {
      part.push(key)
      bytes += Buffer.byteLength(key.id) + 24
      if (bytes < LOOKUP_BYTES) continue
      yield { siteId, timed, part }
      part = []
      bytes = 0
    }
    if (part.length > 0) yield { siteId, timed, part }
  }
}

function earliest(keys: RowKey[]): number {
  const times = keys.map(({ receivedAt }) => Date.parse(receivedAt)).filter(time => !Number.isNaN(time))
  return times.reduce((least, time) => Math.min(least, time), Date.now())
}

/** Errors that say the data can't be read, as opposed to a server in trouble. */
const DATA_ERRORS =
  /^(CANNOT_PARSE|CANNOT_READ|CANNOT_CONVERT|CANNOT_INSERT_NULL|INCORRECT_DATA|TYPE_MISMATCH|ARGUMENT_OUT_OF_BOUND|VALUE_IS_OUT_OF_RANGE|DECIMAL_OVERFLOW|TOO_LARGE|TOO_DEEP|DUPLICATE_COLUMN|ILLEGAL_TYPE|UNKNOWN_ELEMENT)/

export function isDataError(error: unknown): error is ClickHouseError {
  return error instanceof ClickHouseError && DATA_ERRORS.test(error.type ?? '')
}
