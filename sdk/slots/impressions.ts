import type { PluginApi } from '../client/plugin-api.js'
import { createViewing } from '../platform/viewing.js'

/** Properties of an impression and of a click: which choice this is. */
export interface Shown {
  slotId: string
  /** '' for the page's own content, which visitors of the holdout see. */
  contentId: string
  decisionId: string
  position: number
}

/**
 * Watches elements that show decided content: `Slot Viewed` once per decision, content and position, `Slot Clicked` per
 * click.
 */
export function createImpressions({
  track,
  listeners,
  beforePage,
}: Pick<PluginApi, 'track' | 'listeners' | 'beforePage'>) {
  const viewing = createViewing(listeners, beforePage)
  const shownIn = new WeakMap<EventTarget, () => Shown | undefined>()
  const seen = new Set<string>()
  const click = (event: Event) => {
    // The right button opens a menu.
    if ((event as MouseEvent).button > 1) return
    for (const node of event.composedPath()) {
      const shown = shownIn.get(node)?.()
      if (shown) return track('Slot Clicked', { ...shown })
    }
  }
  for (const type of ['click', 'auxclick']) listeners.on(document, type, click, { capture: true })
  beforePage(() => seen.clear())
  return {
    /** @param shown what the element shows, or what tells when it is seen or clicked, if anything */
    watch(element: Element, shown: Shown | (() => Shown | undefined)) {
      const read = typeof shown === 'function' ? shown : () => shown
      shownIn.set(element, read)
      viewing.watch(element, () => {
        const it = read()
        const key = JSON.stringify(it)
        if (it && !seen.has(key)) track('Slot Viewed', { ...it })
        seen.add(key)
      })
    },
    stop: viewing.stop,
  }
}
