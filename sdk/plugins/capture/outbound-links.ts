import { isUnder } from '../../capture/domains.js'
import { followedLink } from '../../capture/elements/links.js'
import { safeText } from '../../capture/elements/safe-text.js'
import type { PluginApi } from '../../client/plugin-api.js'

/** Tracks `Outbound Link Clicked` {url, host, text} when a visitor follows a link to another site. */
export function outboundLinks({ track, listeners, settings }: PluginApi): () => void {
  const follow = (event: Event) => {
    const link = followedLink(event)
    if (!link || link.host === location.host || isUnder(link.host, settings.linkDomains)) return
    const { element, url, host, file } = link
    // One click is one event.
    if (file && settings.downloads) return
    track('Outbound Link Clicked', { url, host, text: safeText(element) })
  }
  for (const type of ['click', 'auxclick']) listeners.on(window, type, follow, { capture: true })
  return () => {}
}
