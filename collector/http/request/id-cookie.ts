import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Site } from '@slotstream/protocol'
import { namesOrigin } from '../../sites.js'

export const ID_COOKIE = 'slotstream_id'
/** As long as browsers keep a cookie that a server sets; Chromium's own bound is 400 days. */
const YEAR_SECONDS = 365 * 24 * 3600

/**
 * Sets the visitor's id as a cookie, for sites that want that, on the answer to a page. A page's script reads it, so it
 * isn't HttpOnly; it holds nothing that the page doesn't know.
 */
export function setIdCookie(request: IncomingMessage, response: ServerResponse, site: Site, visitor: unknown): void {
  const setting = site.enrichment?.idCookie
  const { origin } = request.headers
  if (!setting || !origin || typeof visitor !== 'string' || !/^[\w.~:-]{1,128}$/.test(visitor)) return
  // The browser takes a cookie from another origin only together with this, and never with an origin of "*".
  if (namesOrigin(site, origin)) response.setHeader('Access-Control-Allow-Credentials', 'true')
  const domain = typeof setting === 'string' ? `; Domain=${setting}` : ''
  response.setHeader(
    'Set-Cookie',
    `${ID_COOKIE}=${visitor}; Max-Age=${YEAR_SECONDS}; Path=/${domain}; Secure; SameSite=Lax`,
  )
}
