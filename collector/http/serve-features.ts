import type { Express } from 'express'
import type { PublicFeatures } from '../public-features.js'
import type { Sites } from '../sites.js'
import { Failure } from './failure.js'
import { allowOrigin, checkOrigin } from './request/cors.js'

/** How long browsers and CDNs may use definitions without asking, in seconds: a change is everywhere after that. */
const MAX_AGE_SECONDS = 300

/**
 * Serves `/v1/features?writeKey=…`: definitions that a site's pages may count by themselves. Nothing of a visitor is
 * asked or told.
 */
export function serveFeatures(app: Express, sites: Sites, ready: () => boolean, publicFeatures: PublicFeatures): void {
  app.get('/v1/features', (request, response) => {
    allowOrigin(request, response, sites)
    if (!ready()) throw new Failure('unavailable', 'the collector is starting: come again in a moment')
    const { writeKey } = request.query
    const site = typeof writeKey === 'string' ? sites.byWriteKey(writeKey) : undefined
    if (!site) throw new Failure('unknown_key', 'no site has this write key: send it as ?writeKey=')
    checkOrigin(request, site)
    response.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
    response.json(publicFeatures.of(site.siteId))
  })
}
