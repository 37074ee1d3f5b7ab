import { readFile } from 'node:fs/promises'
import { POSITIONS_PER_STREAM } from '@slotstream/protocol'
import { type LakeFile, lakeFolder } from '#aggregator/lake/lake-files.js'
import { until } from '../support/until.js'
import type { ChaosInstallation } from './installation.js'

const CHECK = 'slotstream.lake_check'
const ROW = 'stream_seq, batch_index, message_id, anonymous_id, toString(properties)'

/**
 * The lake's files, read into a table, beside `events`: the same rows, each once. Returns what is wrong, one line each.
 *
 * @param patienceMs how long the lake may take to have everything
 */
export async function wrongLake(installation: ChaosInstallation, patienceMs: number): Promise<string[]> {
  const { lake, eventStreams, query, write } = installation
  const files = async () => (await Promise.all(eventStreams.map(lakeFolder(lake, 'events').list))).flat()
  const [table] = await query<{ rows: number }>('SELECT count() AS rows FROM slotstream.events')
  const ends = await query<{ last: number }>(
    `SELECT max(stream_seq) AS last FROM slotstream.events GROUP BY intDiv(stream_seq, ${POSITIONS_PER_STREAM})`,
  )
  const hasEnds = (all: LakeFile[]) => ends.every(end => all.some(({ last }) => last === end.last))
  await until('the lake has the last row of each stream', files, hasEnds, { timeoutMs: patienceMs })
  await write(`CREATE OR REPLACE TABLE ${CHECK} AS slotstream.events`)
  for (const { path } of await files()) await write(`INSERT INTO ${CHECK} FORMAT Parquet`, await readFile(path))
  const [copied] = await query<{ rows: number; files: number }>(`SELECT count() AS rows FROM ${CHECK}`)
  const [difference] = await query<{ rows: number }>(
    `SELECT count() AS rows FROM (
       (SELECT ${ROW} FROM ${CHECK} EXCEPT SELECT ${ROW} FROM slotstream.events)
       UNION ALL (SELECT ${ROW} FROM slotstream.events EXCEPT SELECT ${ROW} FROM ${CHECK}))`,
  )
  console.log(`the lake: ${copied?.rows} rows in ${(await files()).length} files`)
  return copied?.rows === table?.rows && difference?.rows === 0
    ? []
    : [`the lake has ${copied?.rows} rows of ${table?.rows}, of which ${difference?.rows} are in one of both only`]
}
