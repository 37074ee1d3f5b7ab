import { whenTitled } from '../../capture/when-titled.js'
import type { PluginApi } from '../../client/plugin-api.js'
import { guard } from '../../platform/guard.js'

/**
 * Tracks the page view, and another whenever the path changes without a load, found by the Navigation API or, where a
 * browser lacks it, the history API. With `autoPage: 'hash'` the fragment belongs to the path. The view begins with the
 * change, so that what follows belongs to it; its `page` message waits for the title.
 */
export function pageViews({ page, settle, view, listeners, log, settings }: PluginApi): () => void {
  const { on } = listeners
  const pathOf = () => location.pathname + (settings.autoPage === 'hash' ? location.hash : '')
  let path = pathOf()
  let stop = () => {}
  const changed = (isReplaced?: boolean) => {
    // Another script may have wrapped what is wrapped here; then ours stays underneath.
    if (listeners.signal.aborted) return
    const before = path
    path = pathOf()
    if (path === before || (isReplaced && isMended(before, path))) view().url = location.href
    else page(undefined, undefined, undefined, whenTitled)
  }
  const wrap = (name: 'pushState' | 'replaceState') => {
    const original = history[name]
    const wrapped: typeof original = function (this: History, ...change) {
      original.apply(this, change)
      guard(log, () => changed(name === 'replaceState'))
    }
    history[name] = wrapped
    const before = stop
    stop = () => {
      before()
      if (history[name] === wrapped) history[name] = original
    }
  }
  page()
  const { navigation } = window as { navigation?: EventTarget }
  // In browsers without the API, any element of that id has the name.
  if (navigation && 'currentEntry' in navigation)
    on(navigation, 'currententrychange', event =>
      changed((event as Event & { navigationType?: string }).navigationType === 'replace'),
    )
  else {
    wrap('pushState')
    wrap('replaceState')
    for (const type of ['popstate', 'hashchange']) on(window, type, () => changed())
  }
  // Before the page may be thrown away.
  for (const [target, type] of [
    [window, 'pagehide'],
    [document, 'visibilitychange'],
  ] as const)
    on(target, type, settle)
  // Out of the back/forward cache: the same document, seen again.
  on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) page()
  })
  return () => {
    settle()
    stop()
  }
}

/**
 * Returns whether a replaced path only mends the one before: other letters' case, a slash or an index file at its end,
 * or a name that was added, as to `/products/17`.
 */
function isMended(before: string, after: string): boolean {
  const [from, to] = [before, after].map(path => path.toLowerCase().replace(/\/(index\.\w+)?$/, ''))
  return from ? to!.startsWith(from) : !to
}
