import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_BATCH_BYTES, type Site } from '@slotstream/protocol'
import { siteOf } from './authenticate.js'
import { allowOrigin, checkOrigin } from './cors.js'
import { Failure } from './failure.js'
import type { CollectorMetrics } from './metrics.js'
import { readBody } from './read-body.js'
import type { Sites } from './sites.js'
import type { BatchOrigin } from './store-batch.js'

/** Answers one request, or throws a Failure. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A request of a site's page or server: read, and its write key and origin checked. */
export interface Received {
  site: Site
  body: unknown
  origin: BatchOrigin
}

export type Receive = (request: IncomingMessage, response: ServerResponse) => Promise<Received>

/** @param ready whether the sites are known: before that, every key would be unknown */
export function createReceive(sites: Sites, ready: () => boolean, metrics: CollectorMetrics): Receive {
  return async (request, response) => {
    allowOrigin(request, response, sites)
    if (!ready()) throw new Failure('unavailable', 'the collector is starting: come again in a moment')
    const { value: body, bytes } = await readBody(request, MAX_BATCH_BYTES)
    metrics.bytes.inc(bytes)
    const site = siteOf(request, body, sites)
    checkOrigin(request, site)
    return { site, body, origin: { siteId: site.siteId, bytes, userAgent: request.headers['user-agent'] } }
  }
}
