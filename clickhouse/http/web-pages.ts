import type { IncomingHttpHeaders } from 'node:http'
import { HOST_ADVICE, type HostCheck } from '@slotstream/runtime'
import { ClickHouseException } from '../errors.js'

/** Which web pages may use the server. */
export interface PageRules {
  isOurHost: HostCheck
  /** Origins whose pages may, e.g. `https://sql.example`; a page of any other can't. */
  allowedOrigins: ReadonlySet<string>
}

/** Sites of a page that a browser reports for its own address bar, and for pages of this very origin. */
const OWN_SITES = new Set(['same-origin', 'none'])

/** Headers of every answer: no page may embed one, no browser may take it for a script or a page. */
export const SAFE_HEADERS: ReadonlyArray<readonly [name: string, value: string]> = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
  ['Referrer-Policy', 'no-referrer'],
]

/**
 * Refuses requests that a web page of another origin makes a browser send, whatever the page uses: a script or image
 * tag, fetch, a form, a frame, a link, or a name of its own that resolves to this machine.
 *
 * Browsers tell where a request comes from in `Sec-Fetch-Site`, but to loopback addresses and over TLS only. A browser
 * that tells nothing (it is known by its `User-Agent` and `Accept-Language`, neither of which a page can take out) is
 * rejected as well: the request could be any page's.
 *
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function refuseForeignPages(headers: IncomingHttpHeaders, { isOurHost, allowedOrigins }: PageRules): void {
  if (!isOurHost(headers.host))
    throw denied(`${JSON.stringify(headers.host)} is not a name of this server: ${HOST_ADVICE}`)
  const { origin } = headers
  if (origin !== undefined && allowedOrigins.has(origin)) return
  if (origin !== undefined && !isSameOrigin(origin, headers.host))
    throw foreign(`of the origin ${JSON.stringify(origin)}`)
  const site = headers['sec-fetch-site']
  if (typeof site === 'string' && !OWN_SITES.has(site)) throw foreign('of another site')
  if (headers.referer !== undefined && !isSameOrigin(headers.referer, headers.host)) throw foreign('of another site')
  if (site === undefined && origin === undefined && isBrowser(headers))
    throw foreign('whose origin the browser does not tell; use localhost, TLS, or a program that is no browser')
}

/** Reads CLICKHOUSE_ALLOWED_ORIGINS: origins with commas between. Throws TypeError for what is none. */
export function readOrigins(text: string): Set<string> {
  return new Set(text.split(',').flatMap(item => (item.trim() ? new URL(item.trim()).origin : [])))
}

/**
 * Gives the headers that let pages of an allowed origin read the answer; undefined for any other.
 *
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders(
  headers: IncomingHttpHeaders,
  { allowedOrigins }: PageRules,
): ReadonlyArray<readonly [name: string, value: string]> | undefined {
  const { origin } = headers
  if (origin === undefined || !allowedOrigins.has(origin)) return undefined
  return [
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Allow-Methods', 'GET, POST'],
    ['Access-Control-Allow-Headers', String(headers['access-control-request-headers'] ?? 'content-type')],
    ['Access-Control-Expose-Headers', 'X-ClickHouse-Query-Id, X-ClickHouse-Summary, X-ClickHouse-Exception-Code'],
    ['Access-Control-Allow-Private-Network', 'true'],
    ['Access-Control-Max-Age', '600'],
  ]
}

function isSameOrigin(address: string, host: string | undefined): boolean {
  return URL.canParse(address) && new URL(address).host === host?.toLowerCase()
}

function isBrowser(headers: IncomingHttpHeaders): boolean {
  return headers['accept-language'] !== undefined && /^(?:mozilla|opera)\//i.test(headers['user-agent'] ?? '')
}

function foreign(whose: string): ClickHouseException {
  return denied(`this is a request of a web page ${whose}. CLICKHOUSE_ALLOWED_ORIGINS names the pages that may`)
}

function denied(what: string): ClickHouseException {
  return new ClickHouseException(497, 'ACCESS_DENIED', `Rejected: ${what}`)
}
