import type { ContentAmounts } from '@slotstream/protocol'
import { type ContentRow, contentRowKey } from '../../features/content/content-values.js'
import { addExact, type ExactSum } from '../../features/input/exact-sum.js'
import { putValue, valueAt } from '../../features/state/pairs.js'
import { dropBefore } from '../../features/state/windows.js'

/**
 * Memory that the contents of one site may take, in bytes, and those of all: what was counted longest ago leaves first.
 */
const MAX_SITE_BYTES = 32 * 2 ** 20
const MAX_BYTES = 128 * 2 ** 20

/** Share of `MAX_BYTES` that leaves at a time: then sites are not compared for each content. */
const AT_ONCE = 1 / 64

/** Memory of a content with its map, of a row with its key, and of a number, in bytes, roughly. */
const CONTENT_BYTES = 600
const ROW_BYTES = 200
const NUMBER_BYTES = 16

/** Rows of one content, at most: features times slots. Later ones are not counted. */
const MAX_ROWS = 1_000

/** What was counted of one content. */
export interface ContentTotal {
  contentId: string
  /** Rows by feature and slot: see `contentRowKey`. */
  rows: Map<string, ContentRow>
}

/** What was counted of the contents of one site, the latest one last. */
export interface SiteContents {
  byId: Map<string, ContentTotal>
  /** Memory that they take. */
  bytes: number
}

/**
 * Sums of all sites' content: a function of the amounts, whatever order they came in, until there is no room for all.
 */
export interface ContentTotals {
  sites: Map<string, SiteContents>
  /** Memory that they take. */
  bytes: number
  /** Contents that left for lack of room. */
  left: number
}

/** Returns the sums before anything was counted. */
export function noContents(): ContentTotals {
  return { sites: new Map(), bytes: 0, left: 0 }
}

/**
 * Adds amounts to the contents of a site, or takes them away. Returns those that changed.
 *
 * @param sign -1 takes away what was added before
 */
export function addAmounts(
  totals: ContentTotals,
  siteId: string,
  all: readonly ContentAmounts[],
  sign: 1 | -1,
): ContentTotal[] {
  return all.map(({ contentId, slotId, amounts }) => {
    const total = totals.sites.get(siteId)?.byId.get(contentId) ?? { contentId, rows: new Map() }
    // Taken out while it changes, so that what it takes is right when it is put back.
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
 * Puts a content in the place of what was known of it, as the latest one. Those that find no room leave: the oldest of
 * the site, and where all sites have too many, those of the site with the most.
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

/** Lets the oldest contents of a site leave while they take too much, until there are so few. */
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
 * @param first slot of time that still counts beside this one: earlier ones are dropped, and not taken later
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

/** Nothing that is zero is kept, so that what was taken away leaves nothing. */
function withoutSlot(row: ContentRow, slot: number): ContentRow {
  const remaining: ContentRow = []
  for (let place = 0; place < row.length; place += 2)
    if (row[place] !== slot) remaining.push(row[place]!, row[place + 1]!)
  return remaining
}
