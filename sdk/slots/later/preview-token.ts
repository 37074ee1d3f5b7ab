/** Parameter of a page's URL that carries the token (`PREVIEW_PARAMETER`). */
const PARAMETER = 'slotstream_preview'

/** Where the tab keeps the token: it survives navigation, and ends with the tab. */
const KEY = 'slotstream.preview'

/**
 * Returns the token of the preview link by which this tab was opened, on this page or on one before; undefined where
 * there was none. It is taken out of the page's URL, which may be passed on. An empty one ends the preview.
 */
export function previewToken(): string | undefined {
  const url = new URL(location.href)
  const inUrl = url.searchParams.get(PARAMETER)
  if (inUrl !== null) {
    url.searchParams.delete(PARAMETER)
    history.replaceState(history.state, '', url)
  }
  try {
    if (inUrl) sessionStorage.setItem(KEY, inUrl)
    else if (inUrl !== null) endPreview()
    return sessionStorage.getItem(KEY) || undefined
  } catch {
    // Storage is blocked: it is valid for this page.
    return inUrl || undefined
  }
}

/** Ends the preview of this tab. */
export function endPreview(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing is kept.
  }
}
