import {
  createMemo,
  DEFAULT_ENRICHMENT,
  type Enrichment,
  isObject,
  type MessageContext,
  type Site,
} from '@slotstream/protocol'
import { MAX_ADDRESS_LENGTH } from '@slotstream/runtime'
import type { CategoryOf } from '../slots/content-categories.js'
import { type Arrived, classifyTraffic, type Traffic } from './classify-traffic.js'
import type { Places } from './places.js'
import { scrubUrl } from './scrub-url.js'
import { truncateAddress } from './truncate-address.js'
import { createUserAgents } from './user-agent.js'

/** Addresses of pages, ways in, and addresses of visitors that are remembered, for each site or at all. */
const REMEMBERED = { max: 2_000, maxBytes: 1024 * 1024, maxKeyLength: 1_000 }

/** The enrichment of one request's messages. */
export interface Enricher {
  /**
   * Takes out of a raw message, in place, what must not be stored, not even in a rejected one. Nothing: it may stay as
   * it is.
   */
  redact(raw: unknown): Cleansed | undefined
  /**
   * Returns what is added to the context of a valid message. The same object for messages that
   * have it in common.
   */
  enrich(message: Record<string, unknown>, network: string | undefined): MessageContext | undefined
}

/** Of a message that was changed. */
export interface Cleansed {
  /** The network that the message names as the visitor's, if it does. */
  network: string | undefined
}

/** The sender, as the request says. */
export interface Sender {
  userAgent: string | undefined
  /** Address of the client, not of a proxy. It is never stored, only its network, if the site wants that. */
  address: () => string
}

export type Enrich = (site: Site, sender: Sender) => Enricher

/**
 * Creates the function that makes the enricher of a request. What sites, pages and user agents have in common is
 * computed once.
 *
 * @param places where addresses are. Default: not known
 * @param categoryOf what content is about. Default: not known
 */
export function createEnrich(places?: Places, categoryOf?: CategoryOf): Enrich {
  const compiled = new WeakMap<Site, Compiled>()
  const agents = createUserAgents()
  const networks = createMemo(
    { ...REMEMBERED, maxKeyLength: MAX_ADDRESS_LENGTH },
    address => truncateAddress(address) ?? '',
  )
  const locations = places && ((network: string) => places.find(network))

  return (site, sender) => {
    const rules = compiled.get(site) ?? compile(site)
    compiled.set(site, rules)
    const { settings } = rules
    let latest: { userAgent: string; network: string; facts: MessageContext | undefined } | undefined
    let together: { facts: MessageContext | undefined; traffic: Traffic; all: MessageContext } | undefined

    /** Fields that are equal in all messages of one device. */
    function deviceFacts(userAgent: string, network: string): MessageContext | undefined {
      if (latest?.userAgent === userAgent && latest.network === network) return latest.facts
      const { device, bot } = userAgent ? agents(userAgent) : { device: {}, bot: undefined }
      const location = settings.location && network ? locations?.(network) : undefined
      const facts = {
        ...(settings.userAgent ? device : {}),
        ...(settings.bots && bot ? { bot } : {}),
        ...(settings.ip === 'truncated' && network ? { ip: network } : {}),
        ...(location ? { location } : {}),
      }
      latest = { userAgent, network, facts: Object.keys(facts).length > 0 ? facts : undefined }
      return latest.facts
    }

    /** Returns the same object for messages that have device and way in in common. */
    function factsOf(message: Record<string, unknown>, named: string | undefined): MessageContext | undefined {
      const context = (message.context ?? {}) as MessageContext
      // A library on a server has its own user agent and address, which say nothing of the visitor.
      const isDevice = typeof context.userAgent === 'string' || context.library === undefined
      const userAgent = typeof context.userAgent === 'string' ? context.userAgent : (sender.userAgent ?? '')
      const wantsNetwork = settings.ip === 'truncated' || (settings.location && locations !== undefined)
      const network = named ?? (wantsNetwork && isDevice ? networks(sender.address()) : '')
      const facts = deviceFacts(isDevice ? userAgent : '', network)
      const traffic = settings.traffic && arrivedOf(message, rules.traffic)
      if (!traffic) return facts
      if (together?.traffic !== traffic || together.facts !== facts)
        together = { facts, traffic, all: { ...facts, traffic } }
      return together.all
    }

    return {
      redact: raw => redact(raw, rules, networks),
      enrich(message, named) {
        const facts = factsOf(message, named)
        const category = categoryOf && clickedCategory(message, site, categoryOf)
        return category === undefined ? facts : { ...facts, content: { category } }
      },
    }
  }
}

/**
 * Tells what the content is about that a message says was clicked. Stamped here, as the catalog is now, so that a
 * rebuild from the stream moves the same interests.
 */
function clickedCategory(
  { type, event, properties }: Record<string, unknown>,
  { siteId }: Site,
  categoryOf: CategoryOf,
): string | undefined {
  if (type !== 'track' || event !== 'Slot Clicked') return undefined
  const contentId = textOf(objectOf(properties)?.contentId)
  return contentId === undefined ? undefined : categoryOf(siteId, contentId)
}

/** A site's settings, in the form that costs least to apply. */
interface Compiled {
  settings: Enrichment
  scrub: (url: string) => string
  traffic: (arrived: Arrived) => Traffic
}

function compile(site: Site): Compiled {
  const settings = { ...DEFAULT_ENRICHMENT, ...site.enrichment }
  const secrets = new Set(settings.scrub)
  const ownHosts = new Set(
    site.allowedOrigins.filter(origin => URL.canParse(origin)).map(origin => new URL(origin).hostname),
  )
  const scrub = createMemo(REMEMBERED, url => scrubUrl(url, secrets))
  const traffic = createMemo(REMEMBERED, key => classifyTraffic(JSON.parse(key) as Arrived, ownHosts))
  let last: { arrived: Arrived; traffic: Traffic } | undefined
  return {
    settings,
    scrub,
    traffic(arrived) {
      if (last && isSame(last.arrived, arrived)) return last.traffic
      const isLong = arrived.url.length + arrived.referrer.length > REMEMBERED.maxKeyLength
      last = { arrived, traffic: isLong ? classifyTraffic(arrived, ownHosts) : traffic(JSON.stringify(arrived)) }
      return last.traffic
    },
  }
}

function isSame(a: Arrived, b: Arrived): boolean {
  return a.url === b.url && a.referrer === b.referrer && a.source === b.source && a.medium === b.medium
}

/**
 * Returns how the visitor came to the message's page; nothing for messages that name no page address and no campaign.
 */
function arrivedOf(message: Record<string, unknown>, classify: (arrived: Arrived) => Traffic): Traffic | undefined {
  const context = objectOf(message.context)
  const page = objectOf(context?.page)
  const campaign = objectOf(context?.campaign)
  const [url, referrer] = [textOf(page?.url), textOf(page?.referrer)]
  const [source, medium] = [textOf(campaign?.source), textOf(campaign?.medium)]
  if (!url && !referrer && !source && !medium && message.type !== 'page') return undefined
  return classify({
    url: url ?? '',
    referrer: referrer ?? '',
    ...(source ? { source } : {}),
    ...(medium ? { medium } : {}),
  })
}

function redact(
  raw: unknown,
  { settings, scrub }: Compiled,
  networks: (address: string) => string,
): Cleansed | undefined {
  const message = objectOf(raw)
  const context = objectOf(message?.context)
  const inProperties = message?.type === 'page' && redactPage(objectOf(message.properties), scrub)
  const inContext = redactPage(objectOf(context?.page), scrub)
  if (!context || context.ip === undefined) return inProperties || inContext ? { network: undefined } : undefined
  const network = typeof context.ip === 'string' ? networks(context.ip) : ''
  if (settings.ip === 'truncated' && network) context.ip = network
  else delete context.ip
  return { network: network || undefined }
}

const ADDRESSES = ['url', 'referrer', 'search'] as const

/** Returns whether anything had to be changed. */
function redactPage(page: Record<string, unknown> | undefined, scrub: (url: string) => string): boolean {
  if (!page) return false
  let changed = false
  for (const field of ADDRESSES) {
    const value = page[field]
    if (typeof value !== 'string' || value === '') continue
    const scrubbed = scrub(value)
    if (scrubbed === value) continue
    page[field] = scrubbed
    changed = true
  }
  return changed
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
