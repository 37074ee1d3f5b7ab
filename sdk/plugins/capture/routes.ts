import { whenTitled } from '../../capture/when-titled.js'
import type { PluginApi } from '../../client/plugin-api.js'
import { guard } from '../../platform/guard.js'

/**
 * Tracks another page view whenever the path changes without a load, found by the Navigation API or, where a browser
 * lacks it, the history API. With `autoPage: 'hash'` the fragment belongs to the path. The view begins with the change,
 * so that what follows belongs to it; its `page` message waits for the title.
 *
 * @param entries length of the history when the view began: as long still, a path that has changed since was replaced
 */
export function followRoutes({ page, view, listeners, log, settings }: PluginApi, entries: number): void {
  const { on, signal } = listeners
  const pathOf = ({ pathname, hash }: URL | Location) => pathname + (settings.autoPage === 'hash' ? hash : '')
  let path = pathOf(new URL(view().url))
  const changed = (isReplaced?: boolean) => {
    // Another script may have wrapped what is wrapped here; then ours stays underneath.
    if (signal.aborted) return
    const before = path
    path = pathOf(location)
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
    signal.addEventListener('abort', () => {
      if (history[name] === wrapped) history[name] = original
    })
  }
  changed(history.length === entries)
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
}

/**
 * Returns whether a replaced path only mends the one before: other letters' case, a slash or an index file at its end,
 * or a name that was added, as `-boots` to `/products/17`. `/products/171` is another product.
 */
function isMended(before: string, after: string): boolean {
  const [from, to] = [before, after].map(path => path.toLowerCase().replace(/\/(index\.\w+)?$/, ''))
  return from ? to!.startsWith(from) && !(to![from.length]! > '/') : !to
}
