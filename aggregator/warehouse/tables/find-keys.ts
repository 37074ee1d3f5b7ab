import { TupleParam } from '@clickhouse/client'
import type { Sender } from '@slotstream/protocol'
import type { Block } from '../positions/position.js'
import { keyText, type RowKey } from '../rows/row.js'
import type { StreamSpec } from './specs.js'

/** Bytes of keys per look-up, about 1,500 keys: an engine that makes a query of a parameter takes 256 KB of it. */
const LOOKUP_BYTES = 100_000

/** A message whose client named no time is looked for among what was received this long before it, in milliseconds. */
const UNTIMED_LOOKBACK_MS = 7 * 24 * 3600 * 1000

/** Condition of the rows that come from a range of positions: the parameters `from` and `to`, both included. */
export const BETWEEN = 'stream_seq BETWEEN {from:UInt64} AND {to:UInt64}'

/** Runs a query with parameters; resolves to its rows. */
export type QueryRows = <T>(query: string, params?: Record<string, unknown>) => Promise<T[]>

/** A table whose rows have keys, and how it names them in SQL. */
export interface KeyedTable {
  /** With its database. */
  table: string
  key: NonNullable<StreamSpec['key']>
}

/** A key as a look-up reads it of a row. Not `sender`: an alias of that name would be taken for the column. */
interface FoundKey {
  visitor: string
  kind: Sender
  id: string
}

/** Finds which of the keys are in the table, outside of the block. Resolves to their `keyText`. */
export async function findKeys(
  rows: QueryRows,
  { table, key }: KeyedTable,
  keys: RowKey[],
  { first, last }: Block,
): Promise<Set<string>> {
  const stored = new Set<string>()
  const outside = 'NOT (stream_seq BETWEEN {first:UInt64} AND {last:UInt64})'
  const select = `SELECT ${columnsOf(key)} FROM ${table} WHERE site_id = {siteId:String}${onlyOf(key)}`
  for (const { siteId, timed, part } of chunks(keys)) {
    const matches = timed
      ? await rows<FoundKey>(
          `${select} AND (${key.time}, ${key.id}) IN {keys:Array(Tuple(DateTime64(3, 'UTC'), String))} AND ${outside}`,
          {
            siteId,
            keys: part.map(({ time, id }) => new TupleParam([time!.slice(0, -1).replace('T', ' '), id])),
            first,
            last,
          },
        )
      : await rows<FoundKey>(
          `${select} AND ${key.id} IN {ids:Array(String)}
           AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ${outside}`,
          { siteId, ids: part.map(({ id }) => id), since: earliest(part) - UNTIMED_LOOKBACK_MS, first, last },
        )
    for (const { visitor, kind, id } of matches) stored.add(keyText({ siteId, sender: kind, visitor, id }))
  }
  return stored
}

/**
 * Reads the keys of a range of positions that were received since a time, newest first, with that time in milliseconds
 * since the epoch.
 */
export async function recentKeys(
  rows: QueryRows,
  { table, key }: KeyedTable,
  range: { from: number; to: number },
  since: Date,
  limit: number,
): Promise<{ text: string; receivedAt: number }[]> {
  const latest = await rows<FoundKey & { site_id: string; received: string }>(
    `SELECT site_id, ${columnsOf(key)}, toString(toUnixTimestamp64Milli(received_at)) AS received
     FROM ${table} WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ${BETWEEN}${onlyOf(key)}
     ORDER BY received_at DESC LIMIT {limit:UInt32}`,
    { since: since.getTime(), limit, ...range },
  )
  return latest.map(({ site_id, visitor, kind, id, received }) => ({
    text: keyText({ siteId: site_id, sender: kind, visitor, id }),
    receivedAt: Number(received),
  }))
}

function columnsOf({ visitor, id, sender = "'public'" }: KeyedTable['key']): string {
  return `${visitor} AS visitor, ${sender} AS kind, ${id} AS id`
}

function onlyOf({ where }: KeyedTable['key']): string {
  return where ? ` AND ${where}` : ''
}

/** A stored time. Another value in its place is rejected with its row; a look-up must not fail on it. */
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
