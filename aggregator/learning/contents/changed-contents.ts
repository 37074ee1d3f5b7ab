import type { ContentTotal, ContentTotals } from '@slotstream/core'
import type { ContentNews } from '../thread/messages.js'

/** Time between two times of telling what has changed, in milliseconds. */
const EVERY_MS = 500

/** Contents that are told at a time. */
const MOST = 500

/** Contents that have changed since they were told last. */
export interface ChangedContents {
  note(siteId: string, contents: readonly ContentTotal[]): void
  /** Notes everything, of a snapshot say. */
  noteAll(totals: ContentTotals): void
  /** Returns some that have changed, if it is time to tell. */
  next(now: number): ContentNews | undefined
}

/** Creates the list of what has to be told. */
export function createChangedContents(): ChangedContents {
  const changed = new Map<string, Map<string, ContentTotal>>()
  let toldAt = Number.NEGATIVE_INFINITY

  function note(siteId: string, contents: Iterable<ContentTotal>): void {
    const ofSite = changed.get(siteId) ?? new Map<string, ContentTotal>()
    for (const total of contents) ofSite.set(total.contentId, total)
    if (ofSite.size > 0) changed.set(siteId, ofSite)
  }

  return {
    note,
    noteAll({ sites }) {
      for (const [siteId, { byId }] of sites) note(siteId, byId.values())
    },
    next(now) {
      const first = changed.entries().next()
      if (first.done || now < toldAt + EVERY_MS) return undefined
      const [siteId, ofSite] = first.value
      const contents = [...ofSite.values()].slice(0, MOST)
      for (const { contentId } of contents) ofSite.delete(contentId)
      if (ofSite.size === 0) changed.delete(siteId)
      // What is left of this time is told at once.
      if (changed.size === 0) toldAt = now
      return { type: 'contents', siteId, contents, isAll: changed.size === 0 }
    },
  }
}
