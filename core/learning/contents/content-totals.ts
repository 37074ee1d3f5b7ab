import type { ContentAmounts } from '@slotstream/protocol'
import { type ContentRow, contentRowKey } from '../../features/content/content-values.js'
import { addExact, type ExactSum } from '../../features/input/exact-sum.js'
import { putValue, valueAt } from '../../features/state/pairs.js'
import { dropBefore } from '../../features/state/windows.js'

/** Numbers that are kept of the content of one site, at most: what was counted longest ago leaves first. */
const MAX_NUMBERS = 2_000_000

/** Numbers that a content takes beside those in its rows, roughly. */
const OWN_NUMBERS = 50

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
  /** Numbers in all of them. */
  numbers: number
}

/** Sums of all sites' content: a function of the amounts, whatever order they came in, until a site has too many. */
export type ContentTotals = Map<string, SiteContents>

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
    const total = totals.get(siteId)?.byId.get(contentId) ?? { contentId, rows: new Map() }
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

/** Puts a content in the place of what was known of it, as the latest one. Those that find no room leave. */
export function putContent(totals: ContentTotals, siteId: string, total: ContentTotal): void {
  takeOut(totals, siteId, total.contentId)
  if (total.rows.size === 0) return
  const site = totals.get(siteId) ?? { byId: new Map<string, ContentTotal>(), numbers: 0 }
  totals.set(siteId, site)
  site.byId.set(total.contentId, total)
  site.numbers += numbersOf(total)
  for (const contentId of site.byId.keys()) {
    if (site.numbers <= MAX_NUMBERS || site.byId.size === 1) return
    takeOut(totals, siteId, contentId)
  }
}

function takeOut(totals: ContentTotals, siteId: string, contentId: string): void {
  const site = totals.get(siteId)
  const total = site?.byId.get(contentId)
  if (!site || !total) return
  site.byId.delete(contentId)
  site.numbers -= numbersOf(total)
}

function numbersOf({ rows }: ContentTotal): number {
  let numbers = OWN_NUMBERS
  for (const row of rows.values()) numbers += row.length
  return numbers
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
  const kept: ContentRow = []
  for (let place = 0; place < row.length; place += 2) if (row[place] !== slot) kept.push(row[place]!, row[place + 1]!)
  return kept
}
