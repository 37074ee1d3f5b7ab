import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ConfigurationError,
  createMetrics,
  createPublisher,
  type Installation,
  type Log,
  type Nats,
  type Part,
  watchBucket,
} from '@slotstream/runtime'
import type { Request } from 'express'
import { adminRoutes } from './admin-routes.js'
import { createApp } from './app.js'
import { createCatalogStore } from './catalog-store.js'
import { createDecide } from './decide.js'
import { messageRoutes } from './message-routes.js'
import { createCollectorMetrics } from './metrics.js'
import { createReceive, type Handler } from './receive.js'
import { sendFailure } from './respond.js'
import { createSites } from './sites.js'
import { slotsRoute } from './slots-route.js'
import { createStoreBatch } from './store-batch.js'

/** How long a client may take for its headers and for a whole request, in milliseconds: a bound on slow attackers. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than the minute after which usual load balancers let go, so that it is never us who close under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
/** How long requests may go on when the collector stops, in milliseconds; less than a process gets for it. */
const STOP_TIMEOUT_MS = 8_000

export interface CollectorDeps {
  nats: Nats
  installation: Installation
  adminToken: string
  /** Folder that is served under `/demo/`, if it exists. */
  demoDir: string
  /** File that is served as `/sdk.js`. */
  sdkFile: string
  log: Log
  /** How long a decision may take, in milliseconds. Default 1,000. */
  decideTimeoutMs?: number
}

export interface Collector extends Part {
  /** Starts to listen; resolves to the port, which is chosen by the system for port 0. */
  listen(port: number, host: string): Promise<number>
}

/** Makes the collector: HTTP in, JetStream out. It keeps nothing; any number of them can run side by side. */
export function createCollector(deps: CollectorDeps): Collector {
  const { nats, log } = deps
  const { partitions, buckets } = deps.installation
  const metrics = createCollectorMetrics(createMetrics())
  const sites = createSites()
  const publisher = createPublisher(nats)
  let sitesLoaded = false
  let stopping = false
  const watching = watchBucket(nats, buckets.sites, sites.apply, log)
  void watching.then(() => {
    sitesLoaded = true
  })

  const missing = () => [
    ...(nats.connected ? [] : ['NATS']),
    ...(sitesLoaded ? [] : ['sites']),
    ...(stopping ? ['stopping'] : []),
  ]
  const receive = createReceive(sites, () => sitesLoaded, metrics)
  const store = createStoreBatch(publisher, partitions, metrics)
  const decide = createDecide(nats, publisher, partitions, metrics, deps.decideTimeoutMs)
  const posts = new Map<string, Handler>([
    ...messageRoutes(receive, store),
    ['/v1/slots', slotsRoute(receive, store, decide, metrics)],
  ])
  const app = createApp({
    sites,
    metrics,
    posts,
    admin: adminRoutes({
      adminToken: deps.adminToken,
      sites,
      buckets,
      catalog: createCatalogStore(buckets.catalog),
      publisher,
      partitions,
      metrics,
      ready: () => sitesLoaded && nats.connected,
    }),
    demoDir: deps.demoDir,
    sdkFile: deps.sdkFile,
    missing,
    sendFailure: (request, response, error) => sendFailure(request, response, error, log),
  })

  const server = createServer((request, response) => {
    const route = pathOf(request)
    const handler = request.method === 'POST' ? posts.get(route) : undefined
    observe(request, response, handler ? route : undefined)
    // Express costs as much again as all else in such a request, so the busy routes don't go through its router.
    if (handler) handler(request, response).catch(error => sendFailure(request, response, error, log))
    else app(request, response)
  })
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS

  function observe(request: IncomingMessage, response: ServerResponse, route: string | undefined) {
    metrics.inFlight.inc()
    response.once('close', () => {
      metrics.inFlight.dec()
      const status = response.writableFinished ? String(response.statusCode) : 'aborted'
      metrics.requests.inc({ route: route ?? routeOf(request as Request), status })
    })
  }

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EADDRINUSE') return reject(error)
          reject(new ConfigurationError(`port ${port} is in use: set PORT to a free one`))
        })
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
      }),
    async stop() {
      stopping = true
      const closed = new Promise(resolve => server.close(resolve))
      // Connections are kept alive after their answer; as long as one is open, the server isn't closed.
      const closingIdle = setInterval(() => server.closeIdleConnections(), 50)
      const closingAll = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS)
      await closed
      clearInterval(closingIdle)
      clearTimeout(closingAll)
      if (sitesLoaded) (await watching).stop()
      publisher.close()
    },
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** The pattern of the route, not the path: metrics must not have as many series as there are visitors. */
function routeOf(request: Request): string {
  const pattern: unknown = request.route?.path
  return typeof pattern === 'string' ? `${request.baseUrl}${pattern}` : request.baseUrl || 'other'
}
