import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Site } from '@slotstream/protocol'
import { type Sites, siteAllowsOrigin } from '../../sites.js'
import { Failure } from '../failure.js'

/** How long a browser may remember a preflight's answer, in seconds. Chromium's own limit is two hours. */
const PREFLIGHT_SECONDS = 7_200

/**
 * Lets a page of any site read the answer, so that it also learns of errors that come before its site is known.
 * No answer depends on cookies, so there is nothing for a foreign page to borrow.
 */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, sites: Sites): void {
  response.setHeader('Vary', 'Origin')
  const { origin } = request.headers
  if (!origin || !sites.allowsOrigin(origin)) return
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After')
}

/** Headers that a preflight is allowed when it asks for none. */
const USUAL_HEADERS = 'Content-Type, Authorization, Content-Encoding'

/** Names of headers, and so many characters of them at most. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/
const MAX_HEADER_NAMES_LENGTH = 1_024

/**
 * Answers `OPTIONS`. A preflight carries no write key: any site that allows the origin will do. It may send whatever
 * headers it asks for, because libraries have their own, and it is the key and the origin that protect a site.
 */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, sites: Sites): void {
  allowOrigin(request, response, sites)
  const { origin } = request.headers
  if (origin && !sites.allowsOrigin(origin)) throw notAllowed(origin)
  const requested = request.headers['access-control-request-headers']
  response.setHeader('Vary', 'Origin, Access-Control-Request-Headers')
  if (origin && sites.wantsCookies(origin)) response.setHeader('Access-Control-Allow-Credentials', 'true')
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
    'Access-Control-Allow-Headers': isListOfNames(requested) ? requested : USUAL_HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  })
  response.end()
}

function isListOfNames(text: string | undefined): text is string {
  return text !== undefined && text.length <= MAX_HEADER_NAMES_LENGTH && HEADER_NAMES.test(text)
}

/** @throws Failure when a browser's page of another origin uses a site's write key */
export function checkOrigin(request: IncomingMessage, site: Site): void {
  const { origin } = request.headers
  if (origin && !siteAllowsOrigin(site, origin)) throw notAllowed(origin)
}

function notAllowed(origin: string): Failure {
  return new Failure('origin_not_allowed', `pages of ${origin} may not use this write key: add it to allowedOrigins`)
}
