import { propertiesOf } from '../../capture/elements/marks.js'
import { safeText } from '../../capture/elements/safe-text.js'
import { selectorOf } from '../../capture/elements/selector-of.js'
import type { PluginApi } from '../../client/plugin-api.js'

/** Elements that visitors click on purpose. */
const CLICKABLE =
  'a[href],svg a,area[href],button,summary,input[type=button],input[type=submit],input[type=image],input[type=reset],[role=button],[role=link],[role=tab],[role=menuitem],[role=option],[role=switch]'

/**
 * Tracks clicks on `data-track="Plan Chosen"` elements under that name, with their `data-track-…` properties. With the
 * option `auto` also, as `Element Clicked` {tag, selector, text}, those on other buttons and links.
 */
export function clicks({ track, listeners, settings }: PluginApi): () => void {
  listeners.on(
    window,
    'click',
    event => {
      const path = event.composedPath().filter(node => node instanceof Element)
      if (path.some(element => element.hasAttribute('data-no-track'))) return
      // By its prototype: a form's field that is named `matches` hides the method.
      const find = (selector: string) => path.find(element => Element.prototype.matches.call(element, selector))
      const trackable = settings.clicks === 'auto' ? `[data-track],${CLICKABLE}` : '[data-track]'
      // A button inside a marked card is the card's click; a mark inside a link is its own.
      const target = find('[data-track]') ?? find(trackable)
      if (!target) return
      const name = (target as HTMLElement).dataset?.track
      if (name) track(name, propertiesOf(target as HTMLElement))
      else if (settings.clicks === 'auto')
        track('Element Clicked', { tag: target.localName, selector: selectorOf(target), text: safeText(target) })
    },
    { capture: true },
  )
  return () => {}
}
