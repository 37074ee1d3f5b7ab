import type { PluginApi } from '../../client/plugin-api.js'
import { guard } from '../../platform/guard.js'

/**
 * Tracks the page view, and another whenever the path changes through the history API. The view begins with the
 * change, so that what follows belongs to it; a title that the page sets later is in the later messages.
 */
export function pageViews({ page, listeners, log }: PluginApi): () => void {
  let path = location.pathname
  const changed = () => {
    if (location.pathname === path) return
    path = location.pathname
    page()
  }
  const wrap = (name: 'pushState' | 'replaceState') => {
    const original = history[name]
    const wrapped: typeof original = function (this: History, ...change) {
      original.apply(this, change)
      guard(log, changed)
    }
    history[name] = wrapped
    // Another script may have wrapped it since; then ours stays underneath, and does nothing.
    return () => {
      if (history[name] === wrapped) history[name] = original
      path = ''
    }
  }
  page()
  listeners.on(window, 'popstate', changed)
  // Out of the back/forward cache: the same document, seen again.
  listeners.on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) page()
  })
  const unwrap = [wrap('pushState'), wrap('replaceState')]
  return () => {
    for (const restore of unwrap) restore()
  }
}
