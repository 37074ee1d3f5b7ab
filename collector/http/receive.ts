import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BATCH_BYTES, markIntegers } from '@slotstream/protocol'
import { networkOf } from '@slotstream/runtime'
import { createWorkPool } from '@slotstream/tracking-plan'
import type { Enrich } from '../enrich/enrich.js'
import type { Receipt } from '../intake/store-batch.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Limits, Origin } from '../safety/limits.js'
import type { OpenBodies, OpenBody } from '../safety/open-bodies.js'
import { createRejectionBudget } from '../safety/rejection-budget.js'
import type { Sites } from '../sites.js'
import { type Body, type RawBody, readBody } from './body/read-body.js'
import { Failure } from './failure.js'
import { type Authenticated, authenticate, authenticateHead } from './request/authenticate.js'
import { allowOrigin, checkOrigin } from './request/cors.js'
import { setIdCookie } from './request/id-cookie.js'
import { honouredSignal } from './request/privacy-signal.js'

/** Answers one request, or throws a Failure. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A request of a site's page or server: read, and its write key and origin checked. */
export interface Received extends Authenticated {
  /** Whole numbers that JavaScript would round are marked text, see `markIntegers`. */
  body: unknown
  /** Text and bytes of the body. */
  written: RawBody
  origin: Receipt
}

/** @param found what stands for the body where a request has none. Default: the body is read */
export type Receive = (request: IncomingMessage, response: ServerResponse, lookUp?: () => Body) => Promise<Received>

export interface ReceiveDeps {
  sites: Sites
  /** Tells whether the sites are known: before that, every key would be unknown. */
  ready: () => boolean
  limits: Limits
  bodies: OpenBodies
  enrich: Enrich
  originOf: (request: IncomingMessage) => Origin
  metrics: CollectorMetrics
}

/**
 * Creates the function that receives a request: a client that owes for earlier ones is rejected before the body is
 * read, by IP address and, where the key is not in the body, by site.
 */
export function createReceive({ sites, ready, limits, bodies, enrich, originOf, metrics }: ReceiveDeps): Receive {
  return async (request, response, findBody) => {
    allowOrigin(request, response, sites)
    if (!ready()) throw new Failure('unavailable', 'the collector is starting: come again in a moment')
    const origin = originOf(request)
    const named = authenticateHead(request, sites)
    limits.checkAddress(origin, named?.key)
    if (named) limits.checkSiteDebt(named.site, named.key)

    const { value, written, bytes } = await (findBody ? lookUp(findBody, origin) : read(request, response, origin))
    const marked = markIntegers(written.text)
    const body = marked === undefined ? value : JSON.parse(marked)
    metrics.bytes.inc(bytes)
    const { site, key } = named ?? authenticated(request, body, origin, bytes)
    metrics.ofSite(site.siteId).request(bytes)
    checkOrigin(request, site)
    limits.checkSite(site)
    const signal = honouredSignal(request, site)
    if (site.enrichment?.idCookie && !signal) setIdCookie(request, response, site, visitorIn(body))
    const userAgent = request.headers['user-agent']
    const enricher = enrich(site, { userAgent, address: () => origin.address })
    const admission = limits.admit({ address: origin.address, site, key }, bytes)
    const receipt: Receipt = {
      ...{ site, key, bytes, isMarked: marked !== undefined, userAgent, enricher, signal, admission },
      rejections: createRejectionBudget(bytes),
      work: createWorkPool(),
    }
    return { site, key, body, written, origin: receipt }
  }

  /** Its bytes count as in flight until the request is answered. */
  async function read(request: IncomingMessage, response: ServerResponse, origin: Origin): Promise<Body> {
    let body: OpenBody | undefined
    try {
      return await readBody(request, MAX_BATCH_BYTES, onLost => {
        body = bodies.open(networkOf(origin.address), onLost)
        response.once('close', body.close)
        return body
      })
    } catch (error) {
      limits.payRefused(origin.address, body?.bytes ?? 0, request.complete)
      throw error
    }
  }

  async function lookUp(findBody: () => Body, origin: Origin): Promise<Body> {
    try {
      return findBody()
    } catch (error) {
      limits.payRefused(origin.address, 0, true)
      throw error
    }
  }

  function authenticated(request: IncomingMessage, body: unknown, origin: Origin, bytes: number): Authenticated {
    try {
      return authenticate(request, body, sites)
    } catch (error) {
      limits.payRefused(origin.address, bytes, true)
      throw error
    }
  }
}

/** Returns the browser that a page's request is about: it names itself, or its last message does. */
function visitorIn(body: unknown): unknown {
  const { anonymousId, batch } = (body ?? {}) as { anonymousId?: unknown; batch?: unknown }
  return anonymousId ?? (Array.isArray(batch) ? batch.at(-1)?.anonymousId : undefined)
}
