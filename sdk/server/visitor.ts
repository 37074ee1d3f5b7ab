import { cookieId, NO_ID } from '../capture/identity.js'
import { type Consent, type ConsentChoice, initialConsent } from '../client/consent.js'
import { headerOf, isRefused, type RequestHeaders } from './headers.js'

/** As long as browsers keep a cookie that a server sets; Chromium's own bound is 400 days. */
const YEAR_SECONDS = 365 * 24 * 3600

/** Consent of the visitor, as the site's server knows it: for both purposes, or for each. */
export type KnownConsent = ConsentChoice

/** Form of the cookie `slotstream_id`. */
export interface IdCookieOptions {
  /** Domain for which it is valid, e.g. `shop.example` for all hosts below it. Default: the host of the page. */
  domain?: string
  /** Whether it is sent over HTTPS only. Default true. */
  secure?: boolean
}

/** Settings of who a visitor is. */
export interface VisitorSettings {
  /** Takes Global Privacy Control for a refusal, as the option of `init`. Default false. */
  gpc?: boolean
  /** Takes Do Not Track for a refusal, as the option of `init`. Default false. */
  dnt?: boolean
  cookie?: IdCookieOptions
}

/** The visitor of a request. */
export interface ServerVisitor {
  /** Id of the browser: that of its cookie `slotstream_id`, or a new one. */
  anonymousId: string
  /** The header `Set-Cookie` by which the browser keeps the id. Absent: it has it, or may not. */
  setCookie?: string
}

/** Returns what the visitor agreed to: what the site's server knows, unless a signal that the site honours says no. */
export function consentOf(
  headers: RequestHeaders | undefined,
  siteConsent: KnownConsent,
  settings: VisitorSettings,
): Consent {
  return initialConsent(siteConsent, undefined, isRefused(headers, settings))
}

/**
 * Returns the visitor of a request. Without consent to analytics the id is valid for this request only: no cookie is
 * read or set.
 *
 * @param newId makes the id of a new visitor
 */
export function visitorOf(
  headers: RequestHeaders | undefined,
  { analytics }: Consent,
  { cookie }: VisitorSettings,
  newId: () => string,
): ServerVisitor {
  const mayKeep = analytics === 'granted'
  const storedId = mayKeep ? cookieId(headerOf(headers, 'cookie') ?? '') : undefined
  if (storedId && !NO_ID.test(storedId)) return { anonymousId: storedId }
  const anonymousId = newId()
  return mayKeep ? { anonymousId, setCookie: setCookieOf(anonymousId, cookie) } : { anonymousId }
}

/** Pages' scripts read the cookie, so it isn't HttpOnly; it holds nothing that the page doesn't know. */
function setCookieOf(anonymousId: string, { domain, secure = true }: IdCookieOptions = {}): string {
  const within = domain ? `; Domain=${domain}` : ''
  return `slotstream_id=${anonymousId}; Max-Age=${YEAR_SECONDS}; Path=/${within}${secure ? '; Secure' : ''}; SameSite=Lax`
}
