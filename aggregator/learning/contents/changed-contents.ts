import type { ContentTotal, ContentTotals } from '@slotstream/core'
import type { ContentNews } from '../thread/messages.js'

/** Interval at which changes are passed on, in milliseconds. */
const EVERY_MS = 500

/** Contents that are passed on at a time, at most. */
const MOST = 500

/** Contents that have changed since they were last passed on to the main thread. */
export interface ChangedContents {
  /** Notes changed contents of a site. */
  note(siteId: string, contents: readonly ContentTotal[]): void
  /** Notes all contents, for example of a snapshot. */
  noteAll(totals: ContentTotals): void
  /** Returns some of the changed contents; undefined: there are none, or it is not time yet. */
  next(now: number): ContentNews | undefined
}

/** Creates an empty list of changes. */
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
      // The interval only begins when all are passed on: the rest follows without a pause.
      if (changed.size === 0) toldAt = now
      return { type: 'contents', siteId, contents, isAll: changed.size === 0 }
    },
  }
}
