import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BATCH_BYTES } from '@slotstream/protocol'
import { type Authenticated, authenticate } from './authenticate.js'
import { allowOrigin, checkOrigin } from './cors.js'
import type { Enrich } from './enrich/enrich.js'
import { Failure } from './failure.js'
import { setIdCookie } from './id-cookie.js'
import type { CollectorMetrics } from './metrics.js'
import { honouredSignal } from './privacy-signal.js'
import { readBody, type Written } from './read-body.js'
import { clientAddress, type Trusts } from './safety/client-address.js'
import type { Limits } from './safety/limits.js'
import type { Sites } from './sites.js'
import type { BatchOrigin } from './store-batch.js'

/** Answers one request, or throws a Failure. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A request of a site's page or server: read, and its write key and origin checked. */
export interface Received extends Authenticated {
  body: unknown
  /** What the body was made of. */
  written: Written
  origin: BatchOrigin
}

export type Receive = (request: IncomingMessage, response: ServerResponse) => Promise<Received>

export interface ReceiveParts {
  sites: Sites
  /** Whether the sites are known: before that, every key would be unknown. */
  ready: () => boolean
  limits: Limits
  enrich: Enrich
  trusts: Trusts
  metrics: CollectorMetrics
}

export function createReceive({ sites, ready, limits, enrich, trusts, metrics }: ReceiveParts): Receive {
  return async (request, response) => {
    allowOrigin(request, response, sites)
    if (!ready()) throw new Failure('unavailable', 'the collector is starting: come again in a moment')
    limits.checkAddress(request)
    const { value: body, written, bytes } = await readBody(request, MAX_BATCH_BYTES)
    metrics.bytes.inc(bytes)
    const { site, key } = authenticate(request, body, sites)
    metrics.ofSite(site.siteId).request(bytes)
    checkOrigin(request, site)
    limits.checkSite(site)
    const signal = honouredSignal(request, site)
    if (site.enrichment?.idCookie && !signal) setIdCookie(request, response, site, visitorIn(body))
    const userAgent = request.headers['user-agent']
    const enricher = enrich(site, { userAgent, address: () => clientAddress(request, trusts) })
    return { site, key, body, written, origin: { site, key, bytes, userAgent, enricher, signal } }
  }
}

/** The browser that a page's request is about: it names itself, or its last message does. */
function visitorIn(body: unknown): unknown {
  const { anonymousId, batch } = (body ?? {}) as { anonymousId?: unknown; batch?: unknown }
  return anonymousId ?? (Array.isArray(batch) ? batch.at(-1)?.anonymousId : undefined)
}
