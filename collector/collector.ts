import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { profilesBucket } from '@slotstream/protocol'
import {
  answerStatus,
  ConfigurationError,
  createMetrics,
  createPublisher,
  type Installation,
  type Log,
  type Nats,
  type Part,
  watchBucket,
  watchGeneration,
} from '@slotstream/runtime'
import express, { type Request } from 'express'
import { adminRoutes } from './admin-routes.js'
import { createApp } from './app.js'
import { createCatalogStore } from './catalog-store.js'
import { allowOrigin } from './cors.js'
import { createDecide } from './decide.js'
import { createEnrich } from './enrich/enrich.js'
import type { Places } from './enrich/places.js'
import { messageRoutes } from './message-routes.js'
import { createCollectorMetrics } from './metrics.js'
import { pipelineRoute } from './pipeline/route.js'
import { createReceive, type Handler } from './receive.js'
import { sendFailure } from './respond.js'
import type { Trusts } from './safety/client-address.js'
import { createInFlight } from './safety/in-flight.js'
import { createLimits } from './safety/limits.js'
import { requestIdOf } from './safety/request-id.js'
import { type CollectorSettings, collectorSettings } from './settings.js'
import { createSites } from './sites.js'
import { slotsRoute } from './slots-route.js'
import { createStoreBatch } from './store-batch.js'

/** How often connections are looked over for those that take too long, in milliseconds. */
const LOOK_OVER_MS = 1_000
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
  settings?: Partial<CollectorSettings>
  /** Where addresses are. Default: not known. */
  places?: Places
}

export interface Collector extends Part {
  /** Starts to listen; resolves to the port, which is chosen by the system for port 0. */
  listen(port: number, host: string): Promise<number>
}

/** Makes the collector: HTTP in, JetStream out. It keeps nothing; any number of them can run side by side. */
export function createCollector(deps: CollectorDeps): Collector {
  const { nats, log } = deps
  const { partitions, buckets } = deps.installation
  const settings = { ...collectorSettings({}), ...deps.settings }
  const metrics = createCollectorMetrics(createMetrics(), {
    requests: () => open.size,
    bytes: () => inFlight.bytes,
  })
  const sites = createSites()
  const publisher = createPublisher(nats)
  let sitesLoaded = false
  let stopping = false
  const watching = watchBucket(nats, buckets.sites, sites.apply, log)
  void watching.then(() => {
    sitesLoaded = true
  })

  let profiles = buckets.profiles
  const followed = watchGeneration(
    nats,
    buckets.meta,
    deps.installation.generation,
    generation => {
      nats.kvm.open(profilesBucket(generation)).then(
        opened => {
          profiles = opened
        },
        error => log.error({ err: error, generation }, 'the rebuilt profiles can not be opened'),
      )
    },
    log,
  )
  const status = answerStatus({ nats, part: 'collector', metrics, log })

  const missing = () => [
    ...(nats.connected ? [] : ['NATS']),
    ...(sitesLoaded ? [] : ['sites']),
    ...(stopping ? ['stopping'] : []),
  ]
  const trusts = trustsOf(settings.trustProxy)
  const receive = createReceive({
    sites,
    ready: () => sitesLoaded,
    limits: createLimits(settings, trusts),
    enrich: createEnrich(deps.places),
    trusts,
    metrics,
  })
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
      buckets: {
        sites: buckets.sites,
        get profiles() {
          return profiles
        },
      },
      catalog: createCatalogStore(buckets.catalog),
      publisher,
      partitions,
      metrics,
      pipeline: pipelineRoute(nats, partitions),
      ready: () => sitesLoaded && nats.connected,
    }),
    demoDir: deps.demoDir,
    sdkFile: deps.sdkFile,
    missing,
    trustProxy: settings.trustProxy,
    sendFailure: (request, response, error) => sendFailure(request, response, error, log),
  })

  const inFlight = createInFlight(settings.maxInFlightBytes)
  const open = new Set<ServerResponse>()
  const server = createServer({ connectionsCheckingInterval: LOOK_OVER_MS }, (request, response) => {
    response.setHeader('X-Request-Id', requestIdOf(request))
    const route = pathOf(request)
    const handler = request.method === 'POST' ? posts.get(route) : undefined
    // Express costs as much again as all else in such a request, so the busy routes don't go through its router.
    if (handler) void answer(request, response, route, handler)
    else {
      observe(request, response, undefined, 0)
      app(request, response)
    }
  })
  server.headersTimeout = settings.headersTimeoutMs
  server.requestTimeout = settings.requestTimeoutMs
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
  server.maxConnections = settings.maxConnections

  async function answer(request: IncomingMessage, response: ServerResponse, route: string, handler: Handler) {
    let reserved = 0
    try {
      reserved = inFlight.enter(request)
      observe(request, response, route, reserved)
    } catch (error) {
      observe(request, response, route, 0)
      allowOrigin(request, response, sites)
      return sendFailure(request, response, error, log)
    }
    await handler(request, response).catch(error => sendFailure(request, response, error, log))
  }

  function observe(request: IncomingMessage, response: ServerResponse, route: string | undefined, reserved: number) {
    open.add(response)
    if (stopping) response.shouldKeepAlive = false
    response.once('close', () => {
      open.delete(response)
      inFlight.leave(reserved)
      metrics.request(route ?? routeOf(request as Request), response.writableFinished ? response.statusCode : 'aborted')
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
      // Each connection ends with the answer that is under way, and clients know not to use it again.
      for (const response of open) response.shouldKeepAlive = false
      const closed = new Promise(resolve => server.close(resolve))
      // Connections are kept alive after their answer; as long as one is open, the server isn't closed.
      const closingIdle = setInterval(() => server.closeIdleConnections(), 50)
      const closingAll = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS)
      await closed
      clearInterval(closingIdle)
      clearTimeout(closingAll)
      status.stop()
      if (sitesLoaded) for (const watch of [await watching, await followed]) watch.stop()
      deps.places?.stop()
      publisher.close()
    },
  }
}

/** Express's own reading of the setting, for requests that don't go through it. */
function trustsOf(trustProxy: CollectorSettings['trustProxy']): Trusts {
  const app = express()
  app.set('trust proxy', trustProxy)
  return app.get('trust proxy fn') as Trusts
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
