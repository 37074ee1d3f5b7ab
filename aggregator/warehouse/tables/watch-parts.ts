import type { ClickHouseClient } from '@clickhouse/client'
import { type Log, type Metrics, repeat } from '@slotstream/runtime'

/** Time between two looks, in milliseconds. */
const EVERY_MS = 10_000

/** Keeps the gauges of the tables' parts up to date until `signal` fires: too many mean that inserts are too small. */
export async function watchParts(
  clickhouse: ClickHouseClient,
  metrics: Metrics,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const parts = metrics.gauge('clickhouse_parts', 'Active parts of a table', ['table'])
  const most = metrics.gauge('clickhouse_parts_most', 'Active parts of the table partition with most of them', [
    'table',
  ])
  const rows = metrics.gauge('clickhouse_rows', 'Rows of a table', ['table'])
  const bytes = metrics.gauge('clickhouse_bytes', 'Bytes of a table on disk', ['table'])
  const look = async () => {
    const result = await clickhouse.query({
      query: `SELECT table, sum(n) AS parts, max(n) AS most, sum(r) AS rows, sum(b) AS bytes
              FROM (SELECT table, partition, count() AS n, sum(rows) AS r, sum(bytes_on_disk) AS b
                    FROM system.parts WHERE database = 'slotstream' AND active GROUP BY table, partition)
              GROUP BY table`,
      format: 'JSONEachRow',
    })
    for (const row of await result.json<Record<'table' | 'parts' | 'most' | 'rows' | 'bytes', string>>()) {
      const { table } = row
      parts.set({ table }, Number(row.parts))
      most.set({ table }, Number(row.most))
      rows.set({ table }, Number(row.rows))
      bytes.set({ table }, Number(row.bytes))
    }
  }
  await repeat(look, EVERY_MS, signal, error =>
    log.warn({ err: error }, 'the parts of the tables could not be counted'),
  )
}
