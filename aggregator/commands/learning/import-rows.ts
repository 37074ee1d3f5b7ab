import type { ClickHouseClient } from '@clickhouse/client'

/** An imported log of a site, by what its parts are named by. */
export interface ImportBatch {
  siteId: string
  batch: string
}

const OF_BATCH = 'site_id = {siteId:String} AND startsWith(record_id, {prefix:String})'

const paramsOf = ({ siteId, batch }: ImportBatch) => ({ siteId, prefix: `${batch}-` })

/** Counts the rows of an imported log in `learning_outcomes`. */
export async function countImportRows(clickhouse: ClickHouseClient, batch: ImportBatch): Promise<number> {
  const result = await clickhouse.query({
    query: `SELECT toString(count()) AS n FROM slotstream.learning_outcomes WHERE ${OF_BATCH}`,
    query_params: paramsOf(batch),
    format: 'JSONEachRow',
  })
  const [row] = await result.json<{ n: string }>()
  return Number(row?.n ?? 0)
}

/** Deletes the rows of an imported log. Resolves when they are gone. */
export async function deleteImportRows(
  clickhouse: ClickHouseClient,
  batch: ImportBatch,
  ddl: (sql: string) => string,
): Promise<void> {
  await clickhouse.command({
    query: ddl(`ALTER TABLE slotstream.learning_outcomes DELETE WHERE ${OF_BATCH} SETTINGS mutations_sync = 2`),
    query_params: paramsOf(batch),
  })
}

/**
 * Deletes the rows of imported logs that were removed: a table that was restored from a backup, or filled from the
 * lake, has them again. Returns how many there were.
 */
export async function deleteRemovedImports(
  clickhouse: ClickHouseClient,
  removed: readonly ImportBatch[],
  ddl: (sql: string) => string,
): Promise<number> {
  let count = 0
  for (const each of removed) {
    const rows = await countImportRows(clickhouse, each)
    if (rows > 0) await deleteImportRows(clickhouse, each, ddl)
    count += rows
  }
  return count
}
