import { type ContentTotal, noContents, putContent } from '@slotstream/core'
import type { ContentNews } from '../thread/messages.js'

/** What was counted of content, as decisions and administrators read it. */
export interface Contents {
  /** Returns what was counted of a content. Undefined: nothing */
  contentOf(siteId: string, contentId: string): ContentTotal | undefined
}

/** The same, which is replaced as messages come. */
export interface ContentSet extends Contents {
  put(news: Pick<ContentNews, 'siteId' | 'contents'>): void
}

/** Creates an empty set. It keeps as many contents as what it is told by. */
export function createContentSet(): ContentSet {
  const totals = noContents()
  return {
    contentOf: (siteId, contentId) => totals.sites.get(siteId)?.byId.get(contentId),
    put({ siteId, contents }) {
      for (const total of contents) putContent(totals, siteId, total)
    },
  }
}
