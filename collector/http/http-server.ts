import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createHostCheck, createMetrics, type HostCheck, type Log, startStatusServer } from '@slotstream/runtime'
import type { Express } from 'express'
import { createEnrich } from '../enrich/enrich.js'
import type { Places } from '../enrich/places.js'
import { type CollectorMetrics, createCollectorMetrics } from '../metrics.js'
import { createAdminGate } from '../safety/admin-gate.js'
import { createConnections } from '../safety/connections.js'
import { createLimits } from '../safety/limits.js'
import { createOpenBodies } from '../safety/open-bodies.js'
import { createVisitorFlow } from '../safety/visitor-flow.js'
import type { CollectorSettings } from '../settings.js'
import type { Sites } from '../sites.js'
import type { CategoryOf } from '../slots/content-categories.js'
import { type AppDeps, createApp } from './app.js'
import type { Failure } from './failure.js'
import { createInFlight, type InFlight } from './in-flight.js'
import { closeServer, LOOK_OVER_MS, limitConnections, listen } from './listen.js'
import type { Refused } from './pixel.js'
import { createReceive, type Receive } from './receive.js'
import { clientAddress, clientOf } from './request/client-address.js'
import { isNear } from './request/is-near.js'
import { requestIdOf } from './request/request-id.js'
import { originOf, trustsOf } from './request/trusted-proxies.js'
import { failureOf, sendFailure } from './respond.js'
import type { Route } from './routes.js'

/** Tools that routes are created with. */
export interface RouteTools {
  receive: Receive
  metrics: CollectorMetrics
  refused: Refused
  /** Called with the time that an owner took for decisions, in milliseconds. */
  onAnswered: (ms: number) => void
}

export interface HttpServerDeps extends Pick<AppDeps, 'demoDir' | 'sdkFile' | 'mounted' | 'publicFeatures' | 'ready'> {
  sites: Sites
  settings: CollectorSettings
  /** Default: there is none, and no request has it. */
  adminToken?: string
  log: Log
  /** Where addresses are. Default: not known. */
  places?: Places | undefined
  /** Tells the category of content. Default: not known. */
  categoryOf?: CategoryOf
  /** Returns what is missing before requests can be answered. */
  missing: () => string[]
  /** Makes the routes of a write key. Those by POST are answered before the router gets to see them, for speed. */
  routes: (tools: RouteTools) => Route[]
  /** Called with each request that was rejected as a whole. */
  onFailure?: (route: string, error: unknown) => void
}

export interface HttpServer {
  metrics: CollectorMetrics
  /** Starts to listen; resolves to the port, which is chosen by the system for port 0. */
  listen(port: number, host: string): Promise<number>
  /** Takes nothing new, finishes what was begun, and closes all connections. */
  stop(): Promise<void>
}

/** Creates the HTTP side of a collector, with any routes: limits, CORS, requests in flight, draining. */
export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const { sites, settings, log } = deps
  let isStopping = false
  const bodies = createOpenBodies(settings)
  const connections = createConnections(settings.maxConnectionsPerAddress)
  const inFlight = createInFlight({ connections, onEnd: (route, status) => metrics.request(route, status) })
  const visitorFlow = createVisitorFlow(settings.visitorSlowdown)
  const metrics = createCollectorMetrics(createMetrics(), {
    requests: () => inFlight.size,
    bytes: () => bodies.bytes,
    visitorShare: visitorFlow.share,
  })
  const trusts = trustsOf(settings.trustProxy)
  const receive = createReceive({
    sites,
    ready: deps.ready,
    limits: createLimits(settings, undefined, visitorFlow),
    bodies,
    enrich: createEnrich(deps.places, deps.categoryOf),
    originOf: request => originOf(request, trusts),
    metrics,
  })
  const isOurHost = createHostCheck(settings.allowedHosts)
  const routes = deps.routes({ receive, metrics, refused, onAnswered: visitorFlow.answered })
  const app = createApp({
    sites,
    metrics,
    routes,
    mounted: deps.mounted,
    demoDir: deps.demoDir,
    sdkFile: deps.sdkFile,
    publicFeatures: deps.publicFeatures,
    ready: deps.ready,
    missing: () => [...deps.missing(), ...(isStopping ? ['stopping'] : [])],
    trustProxy: settings.trustProxy,
    trusts,
    gate: createAdminGate(deps.adminToken, request => clientAddress(request, trusts)),
    // A page whose own name was made to resolve to this machine comes from near, too, but by another host.
    showsMetrics:
      settings.metricsPort > 0
        ? undefined
        : request => isOurHost(request.headers.host) && isNear(clientOf(request, trusts), settings, trusts),
    sendFailure: (request, response, error) => fail(request, response, error, request.path),
  })
  const server = createServer(
    { connectionsCheckingInterval: LOOK_OVER_MS },
    createListener({ app, routes, inFlight, fail }),
  )
  limitConnections(server, settings, connections, trusts)
  let metricsServer: Awaited<ReturnType<typeof listenForMetrics>>

  function refused(response: ServerResponse, route: string, error: unknown): Failure {
    deps.onFailure?.(route, error)
    return failureOf(response, error, log)
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown, route: string): Promise<void> {
    deps.onFailure?.(route, error)
    return sendFailure(request, response, error, log)
  }

  return {
    metrics,
    async listen(port, host) {
      metricsServer = await listenForMetrics(settings, metrics, deps.missing, isOurHost)
      return listen(server, port, host)
    },
    async stop() {
      isStopping = true
      inFlight.drain()
      await closeServer(server)
      bodies.stop()
      await metricsServer?.close()
    },
  }
}

interface ListenerDeps {
  app: Express
  routes: readonly Route[]
  inFlight: Pick<InFlight, 'follow'>
  fail: (request: IncomingMessage, response: ServerResponse, error: unknown, route: string) => Promise<void>
}

/**
 * Creates the listener of requests. Express costs as much again as all else in a request of a busy route, so those by
 * POST don't go through its router.
 */
function createListener({ app, routes, inFlight, fail }: ListenerDeps): RequestListener {
  const handlers = new Map(routes.filter(({ method }) => method !== 'GET').map(({ path, handle }) => [path, handle]))
  return (request, response) => {
    response.setHeader('X-Request-Id', requestIdOf(request))
    const route = pathOf(request)
    const handler = request.method === 'POST' ? handlers.get(route) : undefined
    inFlight.follow(request, response, handler && route)
    if (handler) void handler(request, response).catch(error => fail(request, response, error, route))
    else app(request, response)
  }
}

/** Serves `/metrics` on a port of its own, which is for the network that it is opened on, where the settings say so. */
async function listenForMetrics(
  { metricsPort, metricsHost }: CollectorSettings,
  { registry, text }: CollectorMetrics,
  missing: () => string[],
  isOurHost: HostCheck,
) {
  if (metricsPort === 0) return undefined
  const fresh = { contentType: registry.contentType, metrics: text }
  return startStatusServer(metricsPort, metricsHost, { registry: fresh }, missing, isOurHost)
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}
