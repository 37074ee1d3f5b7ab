import type { Channel } from '@slotstream/protocol'
import { CLICK_IDS, MEDIA, REFERRERS, SEARCH_LABELS } from './traffic-sources.js'

/** How a visitor came, as it is stored in `context.traffic`. */
export interface Traffic {
  channel: Channel
  /** The source of the visit: a known name, the campaign's own source, or the referring host. */
  source?: string
}

/** The origin of a page view, as its message says; all of it may be missing or nonsense. */
export interface Arrived {
  url: string
  referrer: string
  /** `utm_source` and `utm_medium`, as the client understood them. */
  source?: string
  medium?: string
}

const MAX_SOURCE_LENGTH = 100

/**
 * Decides by, in this order: a click id of an advertising network, the campaign's medium, a referrer of the site's own
 * hosts, a referrer that is known, any other referrer, nothing.
 *
 * @param ownHosts further hosts of the site; that of the page itself always counts
 */
export function classifyTraffic(arrived: Arrived, ownHosts: ReadonlySet<string>): Traffic {
  const page = parsed(arrived.url)
  const from = parsed(arrived.referrer)
  const query = page?.searchParams
  const source = clean(arrived.source || query?.get('utm_source'))
  const medium = clean(arrived.medium || query?.get('utm_medium'))
  const click = CLICK_IDS.find(([parameter]) => query?.has(parameter))
  if (click) return { channel: 'paid', source: source || click[1] }
  if (medium || source) {
    const channel = MEDIA.find(([pattern]) => pattern.test(medium))?.[1]
    return { channel: channel ?? (/newsletter|e-?mail/.test(source) ? 'email' : 'campaign'), ...named(source) }
  }
  const host = from && hostOf(from)
  if (!host) return { channel: 'direct' }
  if ((page && hostOf(page) === host) || ownHosts.has(host)) return { channel: 'internal' }
  const traffic = knownHost(host)
  return traffic ?? { channel: 'referral', source: host.slice(0, MAX_SOURCE_LENGTH) }
}

const exact = new Map<string, Traffic>()
const anyEnding = new Map<string, Traffic>()
for (const [channel, source, hosts] of REFERRERS)
  for (const host of hosts.split(' ')) {
    if (host.endsWith('.*')) anyEnding.set(host.slice(0, -2), { channel, source })
    else exact.set(host, { channel, source })
  }

/**
 * Looks the host up, then those above it, which say nothing where they only search and the host does something else.
 */
function knownHost(host: string): Traffic | undefined {
  const labels = host.split('.')
  for (let first = 0; first < labels.length; first++) {
    const traffic = namedBy(labels.slice(first))
    if (traffic) return traffic.channel !== 'search' || labels.slice(0, first).every(isSearching) ? traffic : undefined
  }
  return undefined
}

const isSearching = (label: string) => SEARCH_LABELS.test(label)

/** `google.co.uk` and `google.de` are `google.*`; `google.evil.example` isn't. */
function namedBy(labels: string[]): Traffic | undefined {
  const [name, ...endings] = labels
  const isEnding = endings.length === 1 || (endings.length === 2 && /^(com?|org|net)$/.test(endings[0]!))
  return exact.get(labels.join('.')) ?? (isEnding ? anyEnding.get(name!) : undefined)
}

/** Also for `android-app://com.google.android.gm`, whose host is the app's name. */
function hostOf(url: URL): string {
  return url.hostname.toLowerCase().replace(/^www\./, '')
}

function parsed(url: string): URL | undefined {
  return url && URL.canParse(url) ? new URL(url) : undefined
}

function clean(text: string | null | undefined): string {
  return (text ?? '').trim().toLowerCase().slice(0, MAX_SOURCE_LENGTH)
}

function named(source: string): { source?: string } {
  return source ? { source } : {}
}
