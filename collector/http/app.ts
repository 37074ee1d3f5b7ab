import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import express, { type ErrorRequestHandler, type Express } from 'express'
import helmet from 'helmet'
import type { CollectorMetrics } from '../metrics.js'
import { openApiDocument } from '../openapi/document.js'
import type { Paths } from '../openapi/operations.js'
import type { PublicFeatures } from '../public-features.js'
import type { AdminGate } from '../safety/admin-gate.js'
import type { Sites } from '../sites.js'
import { Failure } from './failure.js'
import type { Trusts } from './request/client-address.js'
import { allowOrigin, answerPreflight } from './request/cors.js'
import { HOST_HEADERS, publicHost } from './request/public-host.js'
import type { Route } from './routes.js'
import { sdkFile, sdkPlugins } from './sdk-file.js'
import { serveSegmentLibrary } from './segment-library.js'
import { serveFeatures } from './serve-features.js'

/** A router, the path it answers below, and what it answers there as `/openapi.json` describes it. */
export interface Mounted {
  path: string
  router: express.Router
  described: Paths
}

/** Tools that routers are created with. */
export interface MountTools {
  metrics: CollectorMetrics
  gate: AdminGate
}

/** Dependencies of the app. */
export interface AppDeps {
  sites: Sites
  metrics: CollectorMetrics
  /** The server answers them before the router gets to see them, for speed. */
  routes: readonly Route[]
  /** They come first: nothing of the write key routes, such as CORS, applies. */
  mounted: (tools: MountTools) => Mounted[]
  /** Lets requests with the admin token pass. */
  gate: AdminGate
  /** Answers `/metrics` to those who may see it; none: that is on a port of its own. */
  showsMetrics: ((request: express.Request) => boolean) | undefined
  trusts: Trusts
  /** Folder that is served under `/demo/`, if it exists. */
  demoDir: string
  /** File that is served as `/sdk.js`. */
  sdkFile: string
  /** Definitions of features that pages may read. */
  publicFeatures: PublicFeatures
  /** Tells whether the sites are known: before that, every write key would be unknown. */
  ready: () => boolean
  /** Returns what is missing before the collector can do its work. */
  missing: () => string[]
  /** Proxies that say what host and protocol the browser used. */
  trustProxy: string[] | number
  sendFailure: (request: express.Request, response: express.Response, error: unknown) => Promise<void>
}

/**
 * Headers for pages that people look at. Styles may be set by scripts, images may come from anywhere, as content does.
 * Whether https is used is the proxy's business.
 */
const pageHeaders = helmet({
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ['*', 'data:'],
      connectSrc: ['*'],
      upgradeInsecureRequests: null,
    },
  },
  strictTransportSecurity: false,
})

/** Creates the Express app of all routes. */
export function createApp({
  sites,
  metrics,
  routes,
  mounted,
  demoDir,
  sdkFile: sdk,
  publicFeatures,
  ready,
  missing,
  trustProxy,
  trusts,
  gate,
  showsMetrics,
  sendFailure,
}: AppDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', trustProxy)
  app.use((_request, response, next) => {
    response.set('X-Content-Type-Options', 'nosniff')
    next()
  })

  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', (_request, response) => {
    const waitingFor = missing()
    if (waitingFor.length === 0) response.json({ status: 'ready' })
    else response.status(503).json({ status: 'waiting', for: waitingFor })
  })
  if (showsMetrics)
    app.get('/metrics', async (request, response) => {
      if (!showsMetrics(request)) gate.check(request)
      response.set('Content-Type', metrics.registry.contentType).send(await metrics.text())
    })

  const mounts = mounted({ metrics, gate })
  for (const { path, router } of mounts) app.use(path, router)
  const description = openApiDocument(routes, Object.assign({}, ...mounts.map(({ described }) => described)))
  app.get('/openapi.json', (_request, response) => {
    response.set('Access-Control-Allow-Origin', '*').json(description)
  })
  app.options(/^\/(beacon\/)?v1\//, (request, response) => answerPreflight(request, response, sites))
  for (const { path, handle, method = 'POST' } of routes) {
    if (method === 'GET') app.get(path, handle)
    else app.post(path, handle)
    app.all(path, (request, response) => {
      allowOrigin(request, response, sites)
      response.set('Allow', `${method}, OPTIONS`)
      throw new Failure('method_not_allowed', `${request.method} is not possible here: use ${method}`)
    })
  }
  app.get('/v1/projects/:writeKey/settings', (request, response) => {
    allowOrigin(request, response, sites)
    const { writeKey } = request.params
    if (!sites.byWriteKey(writeKey)) throw new Failure('unknown_key', 'no site has this write key')
    const { host, protocol } = publicHost(request, trusts)
    const segment = { apiKey: writeKey, apiHost: `${host}/v1`, protocol }
    // The host is the client's word: a cache between must not hand it to others.
    response.set('Cache-Control', 'private, no-store').vary(HOST_HEADERS)
    response.json({ integrations: { 'Segment.io': segment } })
  })

  serveFeatures(app, sites, ready, publicFeatures)
  app.get('/sdk.js', sdkFile(sdk))
  app.use(['/demo', '/console'], pageHeaders)
  app.get('/sdk/:file', sdkPlugins(dirname(sdk)))
  serveSegmentLibrary(app, sdk, sites)
  const hasDemo = existsSync(demoDir)
  if (hasDemo) app.use('/demo', express.static(demoDir))
  app.get('/', (_request, response) => {
    if (hasDemo) response.redirect('/demo/')
    else
      response.json({
        name: 'slotstream collector',
        routes: routes.map(({ path, method = 'POST' }) => `${method} ${path}`),
      })
  })
  app.use(request => {
    throw new Failure('not_found', `there is no ${request.method} ${request.path}`)
  })

  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    // Express's own, such as a path that can't be decoded: the client's mistakes come with a status below 500.
    const refused = !(error instanceof Failure) && error.status >= 400 && error.status < 500
    return sendFailure(
      request,
      response,
      refused ? new Failure('malformed', 'the request cannot be understood') : error,
    )
  }
  app.use(onError)
  return app
}
