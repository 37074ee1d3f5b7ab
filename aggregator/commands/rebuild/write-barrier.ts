import type { ClickHouseClient } from '@clickhouse/client'
import { pause } from '@slotstream/runtime'

/**
 * After this long a barrier opens by itself, in seconds: a rebuild that is killed must not keep the warehouse from
 * loading.
 */
export const BARRIER_SECONDS = 30

/** Attempts to close the barrier between two blocks. A loader announces one every few hundred milliseconds. */
const TRIES = 200

/** Table that the view writes to. It and the view keep the names that they had in earlier versions. */
const SINK = 'slotstream.rebuild_gate_sink'

/** Progress of the loader of one of a table's streams. Positions are those of the column `stream_seq`. */
export interface LoaderPosition {
  /** Its positions: after `base`, up to `last`. */
  base: number
  last: number
  /** Everything up to here is in the table. */
  complete: number
  /** The end of the block that was announced last: it may be in the table, on its way there, or neither. */
  announced: number
}

/**
 * Keeps blocks after the one announced last out of the table for a moment. The barrier is a materialized view that
 * refuses them, so it holds for every writer, whatever it knew before: the insert fails, and the loader tries the same
 * block with the same token again until the barrier is open.
 *
 * @param position of every stream that is loaded into the table, always in the same order
 * @returns of each, the end of the last block that passes
 * @throws when blocks follow each other too fast to get in between
 */
export async function closeBarrier(
  clickhouse: ClickHouseClient,
  source: string,
  position: () => Promise<LoaderPosition[]>,
): Promise<number[]> {
  await clickhouse.command({ query: `CREATE TABLE IF NOT EXISTS ${SINK} (refused UInt8) ENGINE = Null` })
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const positions = await position()
    const late = positions.map(({ announced, last }) => `stream_seq BETWEEN ${announced + 1} AND ${last}`).join(' OR ')
    await clickhouse.command({
      query: `CREATE MATERIALIZED VIEW slotstream.rebuild_gate_${source} TO ${SINK} AS
              SELECT throwIf((${late}) AND now() < toDateTime(${Math.floor(Date.now() / 1000) + BARRIER_SECONDS}),
                'a rebuild is switching tables: try again in a moment') AS refused
              FROM slotstream.${source}`,
    })
    // A block that was announced before the view was there may have begun without it.
    const announced = positions.map(each => each.announced)
    if ((await position()).every((now, index) => now.announced === announced[index])) return announced
    await openBarrier(clickhouse, source)
    await pause(Math.random() * 20)
  }
  throw new Error(`the loader of ${source} did not pause between two blocks: try again when less is being loaded`)
}

/** Lets blocks into the table again. */
export async function openBarrier(clickhouse: ClickHouseClient, source: string): Promise<void> {
  await clickhouse.command({ query: `DROP VIEW IF EXISTS slotstream.rebuild_gate_${source} SYNC` })
}

/** Removes what a barrier leaves behind. */
export async function removeSink(clickhouse: ClickHouseClient): Promise<void> {
  await clickhouse.command({ query: `DROP TABLE IF EXISTS ${SINK} SYNC` })
}
