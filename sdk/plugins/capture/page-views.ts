import type { PluginApi } from '../../client/plugin-api.js'
import { nextTask } from '../../platform/next-task.js'
import { untilLoaded } from '../../platform/until-loaded.js'
import { hasSlot } from '../../slots/has-slot.js'
import type { Load } from '../loadable.js'

/**
 * Tracks the page view at once. What follows the routes of a page that changes its path without a load comes a moment
 * later, and again later where it can't be loaded; it begins with what the path has become by then.
 */
export function pageViews(client: PluginApi, load: Load): () => void {
  const { page, listeners, log, settings } = client
  const { length } = history
  let stop = () => {}
  const follow = async () => {
    // Slots come first.
    await nextTask(hasSlot() ? settings.slotTimeout : 0)
    const followRoutes = await untilLoaded(() => load('routes'), log, listeners.signal)
    if (!listeners.signal.aborted) stop = followRoutes(client, length)
  }
  page()
  // Out of the back/forward cache: the same document, seen again.
  listeners.on(window, 'pageshow', event => {
    if ((event as PageTransitionEvent).persisted) page()
  })
  follow().catch(log)
  return () => stop()
}
