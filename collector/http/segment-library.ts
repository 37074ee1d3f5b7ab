import { dirname, join } from 'node:path'
import type { Express } from 'express'
import type { Sites } from '../sites.js'
import { Failure } from './failure.js'
import { sdkFile, sdkPlugins } from './sdk-file.js'

/**
 * Serves the SDK where Segment's snippet looks for its library, with the plugins that it loads from beside it. The
 * bundle reads the key from its own URL, so it is the same for all sites.
 *
 * @param sdk file that is served as `/sdk.js`; the bundle with Segment's names is `analytics.js` beside it
 */
export function serveSegmentLibrary(app: Express, sdk: string, sites: Sites): void {
  const bundle = sdkFile(join(dirname(sdk), 'analytics.js'))
  app.get('/analytics.js/v1/:writeKey/analytics.min.js', (request, response, next) => {
    if (!sites.byWriteKey(request.params.writeKey)) throw new Failure('unknown_key', 'no site has this write key')
    return bundle(request, response, next)
  })
  app.get('/analytics.js/v1/:writeKey/sdk/:file', sdkPlugins(dirname(sdk)))
}
