import { checkContent, checkSlot } from '@slotstream/protocol'
import type { SomeCatalog } from '../catalog/slot-of-catalog.js'
import { CATALOG_TAKES_EFFECT_MS } from '../explain/contents-of-version.js'

/** Query for a slot, and all content of its site, as they were at a time: parameters `site`, `slot`, `at`. */
export const CATALOG_AT = `SELECT kind, definition FROM slotstream.catalog_versions
WHERE site_id = {site: String} AND (kind = 'content' OR (kind = 'slot' AND id = {slot: String}))
  AND valid_from <= fromUnixTimestamp64Milli({at: Int64}) AND (isNull(valid_to) OR valid_to > fromUnixTimestamp64Milli({at: Int64}))`

/** A row of `CATALOG_AT`. */
export interface CatalogRow {
  kind: string
  definition: string
}

/**
 * Returns the times of the catalogs by one of which a decision was made: that of the decision, then shortly before and
 * after it.
 *
 * @param at milliseconds since the epoch
 */
export function catalogTimes(at: number): number[] {
  return [at, at - CATALOG_TAKES_EFFECT_MS, at + CATALOG_TAKES_EFFECT_MS]
}

/** Makes a catalog of its rows. What cannot be read is left out. */
export function catalogOfRows(rows: readonly CatalogRow[]): SomeCatalog {
  const entries = (kind: string) => rows.filter(row => row.kind === kind).map(row => JSON.parse(row.definition))
  return {
    slots: entries('slot').flatMap(raw => itemsOf(checkSlot(raw))),
    content: entries('content').flatMap(raw => itemsOf(checkContent(raw))),
  }
}

function itemsOf<T>(checked: { ok: true; value: T } | { ok: false }): T[] {
  return checked.ok ? [checked.value] : []
}
