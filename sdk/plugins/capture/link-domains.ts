import { isUnder } from '../../capture/domains.js'
import { followedLink } from '../../capture/elements/links.js'
import type { PluginApi } from '../../client/plugin-api.js'

/**
 * Takes the visitor along to another of the owner's domains: a link to one carries the id at the moment it is followed,
 * and no longer. Only with consent, and never where nothing is to be remembered.
 */
export function linkDomains({ visitorIds, consent, listeners, settings }: PluginApi): () => void {
  const follow = (event: Event) => {
    const link = followedLink(event)
    if (!link || link.host === location.host || !isUnder(link.host, settings.linkDomains)) return
    if (consent().analytics !== 'granted' || settings.cookieless) return
    const { element, href } = link
    // In the open, where the page it leads to wouldn't believe it either.
    if (href.protocol !== 'https:' && location.protocol === 'https:') return
    const plain = element.getAttribute('href')
    href.searchParams.set('slotstream_id', `${visitorIds.all().anonymousId}.${Date.now()}`)
    element.setAttribute('href', href.href)
    // After the browser has followed it, before it can be copied. An SVG may have had an `xlink:href` alone.
    setTimeout(() => (plain === null ? element.removeAttribute('href') : element.setAttribute('href', plain)))
  }
  for (const type of ['click', 'auxclick']) listeners.on(window, type, follow, { capture: true })
  return () => {}
}
