import { Failure } from '../../http/failure.js'

/** The form of what a browser sends as `Origin`: a scheme and a host, and a port that is not the scheme's own. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+\/?$/i

/** Hosts whose pages mostly have no certificate. */
const LOCAL = /^(localhost|127\.|\[::1\])/i

/**
 * Returns the origins of a request, which are to be a site's. One that no browser sends is rejected: it would look as
 * if it allowed the pages that it was meant for.
 *
 * @param stored origins that the site has already
 * @throws Failure `malformed`
 */
export function checkedOrigins(origins: unknown, stored: readonly string[] = []): unknown {
  // What is no list of texts is left to `checkSite`.
  if (!Array.isArray(origins)) return origins
  for (const origin of origins)
    if (typeof origin === 'string' && !stored.includes(origin)) {
      const hint = hintFor(origin)
      if (hint)
        throw new Failure('malformed', `allowedOrigins: no page has the origin ${JSON.stringify(origin)}: ${hint}`)
    }
  return origins
}

/** Returns what to do about an origin that no browser sends; undefined for any other. */
function hintFor(text: string): string | undefined {
  if (text === '*' || text === 'null') return undefined
  if (text.includes('*')) return 'patterns are not understood, name each origin by itself, or "*" for all'
  const full = text.includes('://') ? text : `${LOCAL.test(text) ? 'http' : 'https'}://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (!url?.host) return 'it must be one such as "https://shop.example"'
  const isWeb = /^https?:$/.test(url.protocol)
  const meant = isWeb ? url.origin : `${url.protocol}//${url.host}`
  const isOrigin = ORIGIN.test(text) && (!isWeb || text.toLowerCase().replace(/\/$/, '') === meant)
  return isOrigin ? undefined : `did you mean ${JSON.stringify(meant)}?`
}
