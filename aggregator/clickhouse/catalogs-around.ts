import type { ClickHouseClient } from '@clickhouse/client'
import { CATALOG_AT, type CatalogRow, catalogOfRows, catalogTimes, type SomeCatalog } from '@slotstream/core'

/**
 * Reads a slot and all content of a site as they were at a time, then shortly before and after it: a decision is made
 * by one of them. They are read from the tables, since the catalog keeps some of its history only.
 *
 * @param at milliseconds since the epoch
 */
export async function* catalogsAround(
  clickhouse: ClickHouseClient,
  siteId: string,
  slotId: string,
  at: number,
): AsyncGenerator<SomeCatalog> {
  for (const time of catalogTimes(at)) {
    const params = { site: siteId, slot: slotId, at: time }
    const result = await clickhouse.query({ query: CATALOG_AT, query_params: params, format: 'JSONEachRow' })
    yield catalogOfRows(await result.json<CatalogRow>())
  }
}
