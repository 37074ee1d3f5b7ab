import type { PluginApi } from '../../client/plugin-api.js'
import { untilLoaded } from '../../platform/until-loaded.js'
import { afterSlots } from '../../slots/after-slots.js'
import type { Load } from '../loadable.js'

/** Tracks the page view that the document begins, and another when it comes back out of the back/forward cache. */
export function documentViews({ page, listeners }: PluginApi): void {
  page()
  listeners.on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) page()
  })
}

/**
 * Tracks the page view at once. What follows the routes of a page that changes its path without a load comes a moment
 * later, and again later where it can't be loaded; it begins with what the path has become by then.
 */
export function pageViews(client: PluginApi, load: Load): () => void {
  const { listeners, log, settings } = client
  const { length } = history
  documentViews(client)
  afterSlots(settings)
    .then(() => untilLoaded(() => load('routes'), log, listeners.signal))
    .then(followRoutes => {
      if (!listeners.signal.aborted) followRoutes(client, length)
    })
    .catch(log)
  return () => {}
}
