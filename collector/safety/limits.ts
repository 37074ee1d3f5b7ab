import type { KeyKind, Site } from '@slotstream/protocol'
import { networkOf } from '@slotstream/runtime'
import {
  createMessageLimits,
  MAX_ADDRESSES,
  MAX_SITES,
  type MessageLimits,
  type MessageRates,
  tooMany,
} from './message-limits.js'
import { createTokenBuckets } from './token-buckets.js'
import type { VisitorFlow } from './visitor-flow.js'

/** A page that loads may ask for several things at once; a site has its busy moments. */
const ADDRESS_BURST_SECONDS = 4
const SITE_BURST_SECONDS = 2

/** Rates, each a second. 0: no limit. Each collector counts for itself. */
export interface RateLimits extends MessageRates {
  /** Requests of one address. */
  addressPerSecond: number
  /** Requests for one site, unless it has a rate of its own. */
  sitePerSecond: number
}

/** Where a request comes from. */
export interface Origin {
  /** Address of the client, in canonical spelling. */
  address: string
  /** It comes straight from a network of one's own, with no proxy between that says for whom. */
  isOwn: boolean
}

/** How often clients may come, and how much they may send. */
export interface Limits extends Pick<MessageLimits, 'checkSiteDebt' | 'payRefused' | 'admit'> {
  /**
   * Counts a request, before its body is read.
   *
   * @param key the kind of its key, as far as it is known. Default: a public one
   * @throws Failure `rate_limited` when the address comes too often, or owes for what it sent before
   */
  checkAddress(origin: Origin, key?: KeyKind): void
  /**
   * Counts a request for a site.
   *
   * @throws Failure `rate_limited`
   */
  checkSite(site: Site): void
}

/**
 * @param now milliseconds; must not go back. Default: the machine's time since it was started
 * @param flow tells how much of the limits of new visitors is let through. Default: all
 */
export function createLimits(
  rates: RateLimits,
  now: () => number = () => performance.now(),
  flow?: VisitorFlow,
): Limits {
  const messages = createMessageLimits(rates, now, flow)
  const addresses = createTokenBuckets({
    perSecond: rates.addressPerSecond,
    burstSeconds: ADDRESS_BURST_SECONDS,
    maxKeys: MAX_ADDRESSES,
  })
  const sites = createTokenBuckets({
    perSecond: rates.sitePerSecond,
    burstSeconds: SITE_BURST_SECONDS,
    maxKeys: MAX_SITES,
  })
  return {
    ...messages,
    checkAddress({ address, isOwn }, key) {
      if (!isOwn && rates.addressPerSecond > 0) {
        const wait = addresses.take(networkOf(address), now())
        if (wait > 0) throw tooMany('this address sends', 'requests', wait)
      }
      if (key !== 'secret') messages.checkAddressDebt(address)
    },
    checkSite(site) {
      const wait = sites.take(site.siteId, now(), site.requestsPerSecond)
      if (wait > 0) throw tooMany('this write key is used for', 'requests', wait)
    },
  }
}
