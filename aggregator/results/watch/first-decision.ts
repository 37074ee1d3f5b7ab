import type { ClickHouseClient } from '@clickhouse/client'

const QUERY = `SELECT toUnixTimestamp64Milli(min(timestamp)) AS first, count() AS decisions FROM slotstream.decisions
WHERE site_id = {site: String} AND slot_id = {slot: String} AND experiment = {experiment: String}`

/** Resolves to the time of an experiment's first decision, ISO 8601. Undefined: there is none yet */
export async function firstDecision(
  clickhouse: ClickHouseClient,
  { siteId, slotId, experiment }: { siteId: string; slotId: string; experiment: string },
): Promise<string | undefined> {
  const result = await clickhouse.query({
    query: QUERY,
    query_params: { site: siteId, slot: slotId, experiment },
    format: 'JSONEachRow',
  })
  const [row] = await result.json<{ first: string; decisions: string }>()
  return row && Number(row.decisions) > 0 ? new Date(Number(row.first)).toISOString() : undefined
}
