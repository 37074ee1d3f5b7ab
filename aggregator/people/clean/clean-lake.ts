import { createReadStream } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { type LakeFile, type LakeFolder, lakeFolder } from '../../lake/lake-files.js'
import { readableColumns } from '../../lake/readable-columns.js'
import { AS_LOADED } from '../../warehouse/tables/table.js'
import { PLACES } from '../find/places.js'
import { findRows } from './rows.js'
import type { Whose } from './strip.js'

export interface CleanLakeDeps {
  clickhouse: ClickHouseClient
  /** The folder of the lake. */
  dir: string
  whose: Whose
  report: (place: string, removed: number) => Promise<void>
  /** Returns whether a file may be put in its place at this moment. */
  mayKeep: () => Promise<boolean>
  signal: AbortSignal
}

/**
 * Writes the files of the lake that have rows of a person again without them: in one step, under the same names. Each
 * file goes through a table of its own for a moment, since ClickHouse reads no files of the disk.
 */
export async function cleanLake(deps: CleanLakeDeps): Promise<void> {
  for (const name of PLACES.lake) {
    const folder = lakeFolder(deps.dir, name)
    for (const file of await folder.list()) {
      deps.signal.throwIfAborted()
      const removed = await cleanFile(deps, name, folder, file)
      if (removed > 0) await deps.report(`lake ${name}`, removed)
    }
  }
}

async function cleanFile(
  { clickhouse, whose, mayKeep }: CleanLakeDeps,
  name: string,
  folder: LakeFolder,
  file: LakeFile,
): Promise<number> {
  const table = PLACES.tables[name]!
  // One at a time: a process that was killed in between left it behind.
  const copy = `slotstream.${name}_file`
  const run = (query: string) => clickhouse.command({ query, clickhouse_settings: AS_LOADED })
  const drop = () => run(`DROP TABLE IF EXISTS ${copy} SYNC`)
  await drop()
  try {
    const columns = await readableColumns(clickhouse, `slotstream.${name}`)
    await run(`CREATE TABLE ${copy} (${columns}) ENGINE = MergeTree ORDER BY (stream_seq, batch_index)`)
    const { stream } = await clickhouse.exec({
      query: `INSERT INTO ${copy} FORMAT Parquet`,
      values: createReadStream(file.path),
    })
    for await (const _ of stream);
    const places: string[] = []
    for await (const { place } of findRows(clickhouse, table, copy, whose)) places.push(`(${place.join(', ')})`)
    if (places.length === 0) return 0
    const theirs = `slotstream.${name}_file_rows`
    await run(`DROP TABLE IF EXISTS ${theirs} SYNC`)
    await run(`CREATE TABLE ${theirs} (one UInt64, two UInt64) ENGINE = MergeTree ORDER BY one`)
    try {
      for (let first = 0; first < places.length; first += 4_000)
        await run(`INSERT INTO ${theirs} VALUES ${places.slice(first, first + 4_000).join(', ')}`)
      const content = async () =>
        (
          await clickhouse.exec({
            query: `SELECT * FROM ${copy} WHERE (${table.place.join(', ')}) NOT IN (SELECT one, two FROM ${theirs})
                    ORDER BY stream_seq, batch_index FORMAT Parquet`,
            clickhouse_settings: {
              output_format_parquet_compression_method: 'zstd',
              max_threads: 1,
              wait_end_of_query: 1,
            },
          })
        ).stream
      const date = basename(dirname(file.path)).replace(/^date=/, '')
      await folder.write(file.stream, file, date, content, mayKeep)
    } finally {
      await run(`DROP TABLE IF EXISTS ${theirs} SYNC`)
    }
    return places.length
  } finally {
    await drop()
  }
}
