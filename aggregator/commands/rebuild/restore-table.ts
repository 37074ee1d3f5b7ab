import { createReadStream } from 'node:fs'
import type { ClickHouseClient } from '@clickhouse/client'
import type { LakeFile } from '../../lake/lake-files.js'
import type { LakeSource } from '../../lake/lake-sources.js'
import { asInFile, storedColumns } from '../../lake/readable-columns.js'
import { AS_LOADED } from '../../warehouse/tables/table.js'

/**
 * Puts rows that the lake has and the table lacks back into it, file by file. A row is there when one of its position
 * is, or one of its key: what the stream still had may have been loaded again without it, and taken a later send for
 * the first. Derived tables hear nothing of it. Done again after it was cut short, it goes on.
 *
 * @param files all of whose positions the loader has behind it
 * @returns how many rows were put back
 * @throws for a replicated table, whose parts ClickHouse doesn't attach twice
 */
export async function restoreTable(
  clickhouse: ClickHouseClient,
  { table: name, key }: LakeSource,
  files: LakeFile[],
): Promise<number> {
  const table = `slotstream.${name}`
  const read = `slotstream.${name}_lake`
  const missing = `slotstream.${name}_missing`
  const run = (query: string, params: Record<string, unknown> = {}) =>
    clickhouse.command({ query, query_params: params, clickhouse_settings: AS_LOADED })
  const rows = async <T>(query: string): Promise<T[]> =>
    (await clickhouse.query({ query, format: 'JSONEachRow' })).json<T>()

  const [{ engine } = { engine: '' }] = await rows<{ engine: string }>(
    `SELECT engine FROM system.tables WHERE database = 'slotstream' AND name = '${name}'`,
  )
  if (/^(Replicated|Shared)/.test(engine))
    throw new Error(`${table} is replicated: put its rows back by hand, see "Rebuild" in docs/operating.md`)
  const columns = await storedColumns(clickhouse, table)
  const names = columns.map(column => `\`${column.name}\``).join(', ')
  await removeLeftovers()
  await run(`CREATE TABLE ${read} (${asInFile(columns)}) ENGINE = MergeTree ORDER BY (stream_seq, batch_index)`)
  await run(`CREATE TABLE ${missing} AS ${table}`)
  let count = 0
  try {
    for (const file of files) count += await restoreFile(file)
  } finally {
    await removeLeftovers()
  }
  return count

  async function restoreFile({ path, first, last }: LakeFile): Promise<number> {
    const { stream } = await clickhouse.exec({
      query: `INSERT INTO ${read} FORMAT Parquet`,
      values: createReadStream(path),
    })
    for await (const _ of stream);
    await run(`INSERT INTO ${missing} (${names}) SELECT ${names} FROM ${read} WHERE ${isMissing()}`, { first, last })
    const [counted] = await rows<{ rows: string }>(`SELECT count() AS rows FROM ${missing}`)
    // Whole parts, so that no view takes the rows for new ones.
    const partitions = await rows<{ id: string }>(
      `SELECT DISTINCT partition_id AS id FROM system.parts
       WHERE database = 'slotstream' AND table = '${name}_missing' AND active`,
    )
    for (const { id } of partitions) await run(`ALTER TABLE ${table} ATTACH PARTITION ID '${id}' FROM ${missing}`)
    for (const each of [read, missing]) await run(`TRUNCATE TABLE ${each}`)
    return Number(counted?.rows ?? 0)
  }

  function isMissing(): string {
    const place = `(stream_seq, batch_index) NOT IN (
      SELECT stream_seq, batch_index FROM ${table} WHERE stream_seq BETWEEN {first:UInt64} AND {last:UInt64})`
    if (!key) return place
    const { time, id, visitor, sender = "'public'" } = key
    const notIn = (columns: string[], where: string) =>
      `(${columns.join(', ')}) NOT IN (SELECT ${columns.join(', ')} FROM ${table} WHERE ${where})`
    const ofKey = notIn(
      ['site_id', time, id, visitor, sender],
      `(site_id, ${time}, ${id}) IN (SELECT site_id, ${time}, ${id} FROM ${read})`,
    )
    // Whose client named no time has that of its receipt, which differs between two sends.
    const untimed = `${time} = received_at`
    const ofId = notIn(['site_id', id, visitor, sender], `${id} IN (SELECT ${id} FROM ${read} WHERE ${untimed})`)
    return `${place} AND ${ofKey} AND (NOT (${untimed}) OR ${ofId})`
  }

  async function removeLeftovers(): Promise<void> {
    for (const each of [read, missing]) await run(`DROP TABLE IF EXISTS ${each} SYNC`)
  }
}
