/** The page view under way. */
export interface View {
  pageViewId: string
  /** Where the visitor came from: another site, or the view before this one. */
  referrer: string
  /** Address at the start of the view. */
  url: string
}

/** The view after `view`: in a page that changes its address itself, the old address is the referrer. */
export function nextView(view: View | undefined, url: string, referrer: string, newId: () => string): View {
  if (view) referrer = view.url === url ? view.referrer : view.url
  return { pageViewId: newId(), referrer, url }
}
