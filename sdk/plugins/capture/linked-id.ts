import { linkedId as find, withoutLinkedId } from '../../capture/linked-id.js'
import type { Options } from '../../client/options.js'

/**
 * Takes the visitor's id from the page's URL, and takes it out of there, also one that is rejected: it must not be
 * passed on or tracked. Loaded only where a URL has one.
 */
export function linkedId({ linkDomains }: Pick<Options, 'linkDomains'>): string | undefined {
  const { href, protocol, search } = location
  const id = find(search, Date.now(), document.referrer, linkDomains, protocol)
  history.replaceState(history.state, '', withoutLinkedId(href))
  return id
}
