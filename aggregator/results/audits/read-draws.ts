import type { ClickHouseClient } from '@clickhouse/client'
import { type AuditedDraw, drawsOf, parseDraw } from '@slotstream/core'
import { POSITIONS_PER_STREAM } from '@slotstream/protocol'

/** A recorded decision of which something was drawn. */
export interface DrawRow {
  site: string
  slot: string
  version: string
  draw: string
  position: number
}

/** Rows of a block, at most. */
export const BLOCK_ROWS = 20_000

/** Text of the draws of a block, in bytes, about. */
const BLOCK_BYTES = 64 * 1024 * 1024

/** Decisions that are audited when there were no audits before: of so many milliseconds. */
const BEGIN_MS = 7 * 86_400_000

/** Condition for decisions of this product: imported ones, whose seed is another one or none, are not its draws. */
const DRAWN = 'seed = decision_id AND isNotNull(features.draw)'
const OF_STREAM = 'stream_seq >= {base: UInt64} AND stream_seq < {end: UInt64}'

const BLOCK = `SELECT site_id AS site, slot_id AS slot, policy_version AS version, toString(features.draw) AS draw, toFloat64(stream_seq) AS position
FROM slotstream.decisions
WHERE ${OF_STREAM} AND stream_seq > {after: UInt64} AND ${DRAWN}
ORDER BY stream_seq, batch_index LIMIT ${BLOCK_ROWS}`

const FIRST = `SELECT toFloat64(min(stream_seq)) AS first, toFloat64(count()) AS rows FROM slotstream.decisions
WHERE ${OF_STREAM} AND timestamp >= fromUnixTimestamp64Milli({since: Int64})`

/** Reads the draws of a stream after a position, in order: whole messages, unless one is larger than a block. */
export async function readDraws(clickhouse: ClickHouseClient, base: number, after: number): Promise<DrawRow[]> {
  return takeBlock(rowsOf<DrawRow>(clickhouse, BLOCK, { ...rangeOf(base), after }))
}

/** Takes rows up to the end of a block, and leaves the rest unread: for the next block. */
export async function takeBlock(rows: AsyncIterable<DrawRow>, bytes = BLOCK_BYTES): Promise<DrawRow[]> {
  const block: DrawRow[] = []
  let takenBytes = 0
  for await (const row of rows) {
    if (takenBytes >= bytes && row.position !== block.at(-1)?.position) return block
    block.push(row)
    takenBytes += Buffer.byteLength(row.draw)
  }
  const last = block.at(-1)?.position
  if (block.length < BLOCK_ROWS || block[0]!.position === last) return block
  return block.filter(({ position }) => position !== last)
}

/** Resolves to the position after which the audits of a stream begin. Undefined: it has no recent decisions */
export async function firstPosition(
  clickhouse: ClickHouseClient,
  base: number,
  now: number,
): Promise<number | undefined> {
  const params = { ...rangeOf(base), since: now - BEGIN_MS }
  for await (const { first, rows } of rowsOf<{ first: number; rows: number }>(clickhouse, FIRST, params))
    if (rows > 0) return Math.max(0, first - 1)
  return undefined
}

/** Returns what an audit notes of a record. A draw that can't be read, such as one of a later version, is left out. */
export function auditedDraws(text: string): AuditedDraw[] {
  const draw = parseDraw(text)
  try {
    return draw ? drawsOf({ draw }) : []
  } catch {
    // Its numbers do not fit each other.
    return []
  }
}

function rangeOf(base: number) {
  return { base, end: base + POSITIONS_PER_STREAM }
}

/** Reads rows one by one: what is not taken of them is not read. */
export async function* rowsOf<Row>(
  clickhouse: ClickHouseClient,
  query: string,
  params: Record<string, unknown>,
): AsyncGenerator<Row> {
  const result = await clickhouse.query({ query, query_params: params, format: 'JSONEachRow' })
  try {
    for await (const rows of result.stream<Row>()) for (const row of rows) yield row.json()
  } finally {
    result.close()
  }
}
