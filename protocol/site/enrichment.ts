import { PREVIEW_PARAMETER } from './preview-links.js'

/**
 * A site's settings of what the collector adds to messages, takes out of them, and sets; absent ones are the default.
 */
export interface Enrichment {
  /** Browser, system and device of the user agent: `context.browser`, `context.os`, `context.device`. Default true. */
  userAgent: boolean
  /** Marks messages of bots by their user agent: `context.bot`. They are stored like any other. Default true. */
  bots: boolean
  /** How the visitor came: `context.traffic` with channel and source. Default true. */
  traffic: boolean
  /** Country and city of the address: `context.location`, if the collector has a database. Default true. */
  location: boolean
  /** `none`: no address is stored. `truncated`: `context.ip` is the network, /24 or /48. Default none. */
  ip: 'none' | 'truncated'
  /**
   * Sets the cookie `slotstream_id` to the visitor's `anonymousId`, for a year: browsers keep what a server sets for
   * longer than what a script does. A text is the domain it is set for. Default false.
   */
  idCookie: boolean | string
  /** Query parameters whose values are blotted out of page addresses, in small letters. Default: DEFAULT_SCRUBBED. */
  scrub: string[]
}

/** Parameters that carry secrets or persons so often that they are removed without a setting. */
export const DEFAULT_SCRUBBED: readonly string[] = [
  ...['token', 'access_token', 'id_token', 'refresh_token', 'auth', 'code', 'key', 'api_key', 'apikey', 'secret'],
  ...['client_secret', 'password', 'passwd', 'pwd', 'pass', 'session', 'sessionid', 'sid', 'jwt', 'signature', 'otp'],
  PREVIEW_PARAMETER,
  ...['email', 'e-mail', 'mail', 'phone', 'tel', 'ssn', 'iban', 'card', 'card_number', 'cvv'],
]

export const DEFAULT_ENRICHMENT: Enrichment = {
  userAgent: true,
  bots: true,
  traffic: true,
  location: true,
  ip: 'none',
  idCookie: false,
  scrub: [...DEFAULT_SCRUBBED],
}

/** How a visitor came to a page. */
export type Channel = 'direct' | 'internal' | 'search' | 'social' | 'email' | 'paid' | 'campaign' | 'referral'

/** Returns what is wrong with a site's enrichment settings, or undefined. */
export function enrichmentTrouble(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return 'enrichment must be an object'
  for (const [name, value] of Object.entries(raw)) {
    if (!Object.hasOwn(DEFAULT_ENRICHMENT, name))
      return `enrichment.${name} is unknown: there are ${Object.keys(DEFAULT_ENRICHMENT).join(', ')}`
    const trouble = settingTrouble(name as keyof Enrichment, value)
    if (trouble) return `enrichment.${name} must be ${trouble}`
  }
  return undefined
}

function settingTrouble(name: keyof Enrichment, value: unknown): string | undefined {
  if (name === 'ip') return value === 'none' || value === 'truncated' ? undefined : '"none" or "truncated"'
  if (name === 'scrub') {
    const isList = Array.isArray(value) && value.length <= 200 && value.every(isParameter)
    return isList ? undefined : 'a list of at most 200 names of query parameters in small letters'
  }
  if (name === 'idCookie' && typeof value === 'string')
    return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value) ? undefined : 'true, false, or a domain such as "shop.example"'
  return typeof value === 'boolean' ? undefined : 'true or false'
}

function isParameter(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 64 && value === value.toLowerCase()
}

/**
 * Paths of a stored message that are the collector's: it adds them, as settings of the site say, or changes what the
 * client said there. A browser does not know them.
 */
export const COLLECTOR_PATHS: readonly string[] = [
  ...[
    'browser',
    'os',
    'device',
    'bot',
    'ip',
    'location',
    'traffic',
    'content',
    'identity',
    'violation',
    'timeClamped',
  ].map(field => `context.${field}`),
  // The number in its browser is given when the message is stored there.
  'context.seq',
  ...['url', 'referrer', 'search'].map(field => `context.page.${field}`),
  ...['timestamp', 'originalTimestamp', 'sentAt'],
]

/** The same of the properties of a page view, whose addresses lose what may be secret in them. */
export const COLLECTOR_PAGE_PATHS: readonly string[] = ['url', 'referrer', 'search'].map(field => `properties.${field}`)
