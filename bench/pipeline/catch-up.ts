import { join } from 'node:path'
import { lakeFolder, tableRanges } from '@slotstream/aggregator'
import { STREAMS } from '@slotstream/protocol'
import { machineClock } from '../support/open-loop.js'
import { publishBacklog } from './backlog.js'
import { type Pieces, startPieces } from './pieces.js'

const POLL_MS = 100
const DEADLINE_MS = 30 * 60_000

/** Rows of one insert of the baseline: as many as a block of the warehouse holds at most. */
const BASELINE_ROWS = 50_000

export interface CaughtUp {
  events: number
  /** Events a second from the first row to the last, so without the start of the processes. */
  perSecond: number
}

/**
 * Measures the warehouse role alone, loading a backlog into `events` with all its views, and then `@clickhouse/client`
 * inserting the very same rows, as objects, into the same table.
 */
export async function benchWarehouse(events: number) {
  const pieces = await startPieces()
  try {
    const backlog = await publishBacklog(pieces, events, 1)
    const stop = await pieces.aggregator('warehouse')
    const loader = await untilLoaded(pieces, backlog)
    await stop()
    const client = await insertAgain(pieces, backlog)
    const lake = await copyToLake(pieces, backlog)
    return { loader, client, lake, sizes: await sizesOf(pieces) }
  } finally {
    await pieces.stop()
  }
}

/** Measures everything behind the stream, as `npm start` runs it, with a backlog. */
export async function benchCatchUp(events: number) {
  const pieces = await startPieces()
  try {
    const backlog = await publishBacklog(pieces, events, 2)
    await pieces.aggregator('profiles,decisions')
    await pieces.aggregator('warehouse')
    const caughtUp = await untilLoaded(pieces, backlog)
    return { caughtUp, sizes: await sizesOf(pieces) }
  } finally {
    await pieces.stop()
  }
}

async function untilLoaded(pieces: Pieces, events: number): Promise<CaughtUp> {
  const deadline = machineClock.now() + DEADLINE_MS
  let first: { at: number; stored: number } | undefined
  for (;;) {
    const stored = await pieces.stored()
    const at = machineClock.now()
    if (stored > 0) first ??= { at, stored }
    if (first && stored >= events)
      return { events: stored, perSecond: ((stored - first.stored) * 1000) / (at - first.at) }
    if (at > deadline) throw new Error(`${stored} of ${events} events are loaded after ${DEADLINE_MS / 60_000} minutes`)
    await machineClock.sleep(POLL_MS)
  }
}

/** Inserts what the table holds once more, into the emptied table. The reading isn't counted. */
async function insertAgain(pieces: Pieces, events: number): Promise<CaughtUp> {
  const { clickhouse } = pieces
  await clickhouse.command({ query: 'CREATE TABLE slotstream.kept AS slotstream.events' })
  await clickhouse.command({ query: 'INSERT INTO slotstream.kept SELECT * FROM slotstream.events' })
  await clickhouse.command({ query: 'TRUNCATE TABLE slotstream.events SYNC' })
  let spent = 0
  let inserted = 0
  for (let offset = 0; offset < events; offset += BASELINE_ROWS) {
    const values = await pieces.rows<object>(
      `SELECT * FROM slotstream.kept ORDER BY stream_seq, batch_index LIMIT ${BASELINE_ROWS} OFFSET ${offset}`,
    )
    const begun = machineClock.now()
    await clickhouse.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
    spent += machineClock.now() - begun
    inserted += values.length
  }
  return { events: inserted, perSecond: (inserted * 1000) / spent }
}

/** Copies the table into a lake. */
async function copyToLake({ clickhouse, dataDir }: Pieces, events: number): Promise<CaughtUp & { bytes: number }> {
  const table = tableRanges(clickhouse, 'events', new AbortController().signal)
  const folder = lakeFolder(join(dataDir, 'lake'), 'events')
  const begun = machineClock.now()
  let bytes = 0
  for (let first = 1; first <= events; ) {
    const portion = await table.portion({ first, last: events })
    if (!portion) break
    const content = () => table.parquet(portion)
    bytes += await folder.write(STREAMS.events.name, portion, portion.date, content, async () => true)
    first = portion.last + 1
  }
  return { events, bytes, perSecond: (events * 1000) / (machineClock.now() - begun) }
}

export interface Sizes {
  events: number
  /** Bytes on disk of the stream of events. */
  stream: number
  /** Bytes on disk of the table `events`, by age of its parts: all of them. */
  table: number
  /** The same after all its parts were merged into one a month. */
  merged: number
  columns: { column: string; bytes: number }[]
}

/** Measures how much disk the events take, before and after the table's parts are merged. */
async function sizesOf(pieces: Pieces): Promise<Sizes> {
  const info = await pieces.nats.manager.streams.info(STREAMS.events.name)
  const bytes = async () => {
    const [row] = await pieces.rows<{ bytes: string }>(
      `SELECT sum(bytes_on_disk) AS bytes FROM system.parts
       WHERE database = 'slotstream' AND table = 'events' AND active`,
    )
    return Number(row?.bytes)
  }
  const table = await bytes()
  await pieces.clickhouse.command({ query: 'OPTIMIZE TABLE slotstream.events FINAL' })
  const columns = await pieces.rows<{ column: string; bytes: string }>(
    `SELECT column, sum(column_bytes_on_disk) AS bytes FROM system.parts_columns
     WHERE database = 'slotstream' AND table = 'events' AND active GROUP BY column ORDER BY bytes DESC LIMIT 8`,
  )
  return {
    events: await pieces.stored(),
    stream: info.state.bytes,
    table,
    merged: await bytes(),
    columns: columns.map(({ column, bytes }) => ({ column, bytes: Number(bytes) })),
  }
}
