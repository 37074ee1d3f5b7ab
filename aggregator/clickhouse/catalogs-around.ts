import type { ClickHouseClient } from '@clickhouse/client'
import { CATALOG_TAKES_EFFECT_MS, type SomeCatalog } from '@slotstream/core'
import { checkContent, checkSlot } from '@slotstream/protocol'

const AT = `SELECT kind, definition FROM slotstream.catalog_versions
WHERE site_id = {site: String} AND (kind = 'content' OR (kind = 'slot' AND id = {slot: String}))
  AND valid_from <= fromUnixTimestamp64Milli({at: Int64}) AND (isNull(valid_to) OR valid_to > fromUnixTimestamp64Milli({at: Int64}))`

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
  for (const time of [at, at - CATALOG_TAKES_EFFECT_MS, at + CATALOG_TAKES_EFFECT_MS]) {
    const params = { site: siteId, slot: slotId, at: time }
    const result = await clickhouse.query({ query: AT, query_params: params, format: 'JSONEachRow' })
    const rows = await result.json<{ kind: string; definition: string }>()
    const entries = (kind: string) => rows.filter(row => row.kind === kind).map(row => JSON.parse(row.definition))
    yield {
      slots: entries('slot').flatMap(raw => itemsOf(checkSlot(raw))),
      content: entries('content').flatMap(raw => itemsOf(checkContent(raw))),
    }
  }
}

function itemsOf<T>(checked: { ok: true; value: T } | { ok: false }): T[] {
  return checked.ok ? [checked.value] : []
}
