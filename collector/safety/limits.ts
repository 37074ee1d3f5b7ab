import type { IncomingMessage } from 'node:http'
import type { Site } from '@slotstream/protocol'
import { Failure } from '../failure.js'
import { clientAddress, type Trusts } from './client-address.js'
import { createTokenBuckets } from './token-buckets.js'

/** Addresses that are remembered at a time: 10 MB at most. */
const MAX_ADDRESSES = 100_000
const MAX_SITES = 10_000
/** A page that loads may ask for several things at once; a site has its busy moments. */
const ADDRESS_BURST_SECONDS = 4
const SITE_BURST_SECONDS = 2

export interface RateLimits {
  /** Requests a second of one address. 0: no limit. */
  addressPerSecond: number
  /** Requests a second for one site, unless it has a rate of its own. 0: no limit. */
  sitePerSecond: number
}

/** How often clients may come. Each collector counts for itself. */
export interface Limits {
  /** @throws Failure `rate_limited` */
  checkAddress(request: IncomingMessage): void
  /** @throws Failure `rate_limited` */
  checkSite(site: Site): void
}

/**
 * @param trusts which addresses are one's own. They have no limit: a request that comes straight from there is from
 *   one's own servers, or from a proxy that doesn't say for whom, and must not shut everybody out.
 */
export function createLimits(rates: RateLimits, trusts: Trusts, now: () => number = Date.now): Limits {
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
    checkAddress(request) {
      if (rates.addressPerSecond === 0) return
      const address = clientAddress(request, trusts)
      if (trusts(address, 0)) return
      const wait = addresses.take(networkOf(address), now())
      if (wait > 0) throw tooMany('this address sends', wait)
    },
    checkSite(site) {
      const wait = sites.take(site.siteId, now(), site.requestsPerSecond)
      if (wait > 0) throw tooMany('this write key is used for', wait)
    },
  }
}

/** Whoever has one address of IPv6 has 2⁶⁴ of them. */
function networkOf(address: string): string {
  return address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address
}

function tooMany(who: string, seconds: number): Failure {
  return new Failure('rate_limited', `${who} too many requests: come again in ${seconds} s`, undefined, seconds)
}
