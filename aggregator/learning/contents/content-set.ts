import { type ContentTotal, noContents, putContent } from '@slotstream/core'
import type { ContentNews } from '../thread/messages.js'

/** Counts of content, as decisions and administrators read them. */
export interface Contents {
  /** Returns the counts of a content. Undefined: nothing was counted */
  contentOf(siteId: string, contentId: string): ContentTotal | undefined
}

/** Counts of content that are updated as messages are counted. */
export interface ContentSet extends Contents {
  /** Replaces the counts of some contents. */
  put(news: Pick<ContentNews, 'siteId' | 'contents'>): void
}

/** Creates an empty set. It has the same memory limits as the counts in the thread. */
export function createContentSet(): ContentSet {
  const totals = noContents()
  return {
    contentOf: (siteId, contentId) => totals.sites.get(siteId)?.byId.get(contentId),
    put({ siteId, contents }) {
      for (const total of contents) putContent(totals, siteId, total)
    },
  }
}
