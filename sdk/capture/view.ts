/** The page view under way. */
export interface View {
  pageViewId: string
  /** URL the visitor came from: of another site, or of the view before this one. */
  referrer: string
  /** URL of the view: that at its start, until the page mends it. */
  url: string
  /** Title when the view ended; undefined while it lasts. */
  title?: string
}

/** Returns the view after `view`: in a page that changes its URL itself, the old URL is the referrer. */
export function nextView(view: View | undefined, url: string, referrer: string, newId: () => string): View {
  if (view) referrer = view.url === url ? view.referrer : view.url
  return { pageViewId: newId(), referrer, url }
}
