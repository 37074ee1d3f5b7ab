import { propertiesOf } from '../../capture/elements/marks.js'
import type { PluginApi } from '../../client/plugin-api.js'
import { createViewing } from '../../platform/viewing.js'

/**
 * Tracks `data-track-view="Pricing Seen"` elements under that name, with their `data-track-…` properties, when half of
 * one was visible for a second: each element once, also those that the page adds later.
 */
export function elementViews({ track, listeners, find, beforePage }: PluginApi): () => void {
  const viewing = createViewing(listeners, beforePage)
  find('data-track-view', element => {
    const { trackView } = element.dataset
    if (trackView && !element.closest('[data-no-track]'))
      viewing.watch(element, () => track(trackView, propertiesOf(element)))
  })
  return viewing.stop
}
