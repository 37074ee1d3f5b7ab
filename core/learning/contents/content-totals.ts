import type { ContentAmounts } from '@slotstream/protocol'
import { type ContentRow, contentRowKey, MAX_ROWS } from '../../features/content/content-values.js'
import { addExact, type ExactSum } from '../../features/input/exact-sum.js'
import { putValue, valueAt } from '../../features/state/pairs.js'
import { dropBefore } from '../../features/state/windows.js'

/**
 * Memory that the counts of one site, and of all sites, may take, in bytes. Beyond it, the contents that were counted
 * longest ago are dropped.
 */
const MAX_SITE_BYTES = 32 * 2 ** 20
const MAX_BYTES = 128 * 2 ** 20

/** Share of `MAX_BYTES` that is freed at a time, so that sites need not be compared for each content. */
const AT_ONCE = 1 / 64

/** Approximate memory of a content with its map, of a row with its key, and of a number, in bytes. */
const CONTENT_BYTES = 600
const ROW_BYTES = 200
const NUMBER_BYTES = 16

/** Counts of one content. */
export interface ContentTotal {
  contentId: string
  /** Rows by feature and slot: see `contentRowKey`. */
  rows: Map<string, ContentRow>
}

/** Counts of the contents of one site. */
export interface SiteContents {
  /** By id, the one that changed last at the end. */
  byId: Map<string, ContentTotal>
  /** Memory that they take, in bytes. */
  bytes: number
}

/**
 * Counts of all sites' content. They do not depend on the order of the amounts, until memory is full.
 */
export interface ContentTotals {
  sites: Map<string, SiteContents>
  /** Memory that they take, in bytes. */
  bytes: number
  /** Number of contents that were dropped because memory was full. */
  left: number
}

/** Returns empty counts. */
export function noContents(): ContentTotals {
  return { sites: new Map(), bytes: 0, left: 0 }
}

/**
 * Adds amounts to the contents of a site, or subtracts them. Returns the contents that changed.
 *
 * @param sign -1: subtracts what was added before
 */
export function addAmounts(
  totals: ContentTotals,
  siteId: string,
  all: readonly ContentAmounts[],
  sign: 1 | -1,
): ContentTotal[] {
  return all.map(({ contentId, slotId, amounts }) => {
    const total = totals.sites.get(siteId)?.byId.get(contentId) ?? { contentId, rows: new Map() }
    // Removed while it changes, so that its memory is counted correctly when it is put back.
    takeOut(totals, siteId, contentId)
    for (const [version, slot, first, units, by] of amounts) {
      const key = contentRowKey(version, slotId, by)
      if (!total.rows.has(key) && total.rows.size >= MAX_ROWS) continue
      const row = addTo(total.rows.get(key), { slot, first, units: sign * units })
      if (row.length > 0) total.rows.set(key, row)
      else total.rows.delete(key)
    }
    putContent(totals, siteId, total)
    return total
  })
}

/**
 * Replaces the counts of a content, which becomes the latest one. If the site takes too much memory, its oldest
 * contents are dropped; if all sites together do, those of the largest site.
 */
export function putContent(totals: ContentTotals, siteId: string, total: ContentTotal): void {
  takeOut(totals, siteId, total.contentId)
  if (total.rows.size === 0) return
  const site = totals.sites.get(siteId) ?? { byId: new Map<string, ContentTotal>(), bytes: 0 }
  totals.sites.set(siteId, site)
  site.byId.set(total.contentId, total)
  const bytes = bytesOf(total)
  site.bytes += bytes
  totals.bytes += bytes
  shrink(totals, siteId, 1, () => site.bytes > MAX_SITE_BYTES)
  while (totals.bytes > MAX_BYTES) shrink(totals, largestOf(totals), 0, () => totals.bytes > MAX_BYTES * (1 - AT_ONCE))
}

/** Drops the oldest contents of a site while `isTooMuch`, down to `least` contents. */
function shrink(totals: ContentTotals, siteId: string, least: number, isTooMuch: () => boolean): void {
  const { byId } = totals.sites.get(siteId)!
  for (const contentId of byId.keys()) {
    if (byId.size <= least || !isTooMuch()) return
    takeOut(totals, siteId, contentId)
    totals.left++
  }
}

function largestOf({ sites }: ContentTotals): string {
  let largest = ''
  for (const [siteId, { bytes }] of sites) if (bytes > (sites.get(largest)?.bytes ?? -1)) largest = siteId
  return largest
}

function takeOut(totals: ContentTotals, siteId: string, contentId: string): void {
  const site = totals.sites.get(siteId)
  const total = site?.byId.get(contentId)
  if (!site || !total) return
  const bytes = bytesOf(total)
  site.byId.delete(contentId)
  site.bytes -= bytes
  totals.bytes -= bytes
  if (site.byId.size === 0) totals.sites.delete(siteId)
}

function bytesOf({ rows }: ContentTotal): number {
  let bytes = CONTENT_BYTES
  for (const row of rows.values()) bytes += ROW_BYTES + NUMBER_BYTES * row.length
  return bytes
}

/**
 * Adds units to a slot of time in a row.
 *
 * @param first oldest slot that is still kept beside `slot`: earlier ones are dropped, and not added later
 */
function addTo(row: ContentRow = [], { slot, first, units }: { slot: number; first: number; units: number }) {
  const last = row.length > 0 ? Math.max(row.at(-2) as number, slot) : slot
  const least = first + last - slot
  if (slot < least) return row
  const next = row.slice()
  const sum = addExact(valueAt<ExactSum>(next, slot) ?? 0, units)
  putValue(next, slot, sum)
  dropBefore(next, least)
  return sum === 0 ? withoutSlot(next, slot) : next
}

/** Removes a slot of time whose sum is zero, so that what was subtracted leaves no trace. */
function withoutSlot(row: ContentRow, slot: number): ContentRow {
  const remaining: ContentRow = []
  for (let place = 0; place < row.length; place += 2)
    if (row[place] !== slot) remaining.push(row[place]!, row[place + 1]!)
  return remaining
}
