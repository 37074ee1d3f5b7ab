import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ConfigurationError,
  createHostCheck,
  createMetrics,
  type Log,
  MAX_ADDRESS_LENGTH,
  networkOf,
  startStatusServer,
} from '@slotstream/runtime'
import express, { type Request } from 'express'
import { createEnrich } from '../enrich/enrich.js'
import { createMemo } from '../enrich/memo.js'
import type { Places } from '../enrich/places.js'
import { type CollectorMetrics, createCollectorMetrics } from '../metrics.js'
import { createAdminGate } from '../safety/admin-gate.js'
import { createConnections } from '../safety/connections.js'
import { createLimits, type Origin } from '../safety/limits.js'
import { createOpenBodies } from '../safety/open-bodies.js'
import type { CollectorSettings } from '../settings.js'
import type { Sites } from '../sites.js'
import type { CategoryOf } from '../slots/content-categories.js'
import { type AppParts, createApp } from './app.js'
import type { Failure } from './failure.js'
import type { Refused } from './pixel.js'
import { createReceive, type Handler, type Receive } from './receive.js'
import { clientAddress, clientOf, peerAddress, type Trusts } from './request/client-address.js'
import { isNear } from './request/is-near.js'
import { requestIdOf } from './request/request-id.js'
import { failureOf, sendFailure } from './respond.js'
import type { Route } from './routes.js'

/** How often connections are looked over for those that take too long, in milliseconds. */
const LOOK_OVER_MS = 1_000
/** Longer than the minute after which usual load balancers let go, so that it is never us who close under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
/** How long requests may go on when the server stops, in milliseconds; less than a process gets for it. */
const STOP_TIMEOUT_MS = 8_000

/** Addresses of which it is remembered whether they are a proxy's. */
const MAX_TRUST_REMEMBERED = 1_000

/** What the routes are made with. */
export interface RouteTools {
  receive: Receive
  metrics: CollectorMetrics
  refused: Refused
}

export interface HttpServerParts extends Pick<AppParts, 'demoDir' | 'sdkFile' | 'mounted'> {
  sites: Sites
  settings: CollectorSettings
  /** Default: there is none, and no request has it. */
  adminToken?: string
  log: Log
  /** Where addresses are. Default: not known. */
  places?: Places | undefined
  /** What content is about. Default: not known. */
  categoryOf?: CategoryOf
  /** Whether the sites are known: before that, every write key would be unknown. */
  ready: () => boolean
  /** What is missing before requests can be answered. */
  missing: () => string[]
  /** Makes the routes of a write key. Those by POST are answered before the router gets to see them, for speed. */
  routes: (tools: RouteTools) => Route[]
  /** Is told of each request that was refused as a whole. */
  onFailure?: (route: string, error: unknown) => void
}

export interface HttpServer {
  metrics: CollectorMetrics
  /** Starts to listen; resolves to the port, which is chosen by the system for port 0. */
  listen(port: number, host: string): Promise<number>
  /** Takes nothing new, finishes what was begun, and closes all connections. */
  stop(): Promise<void>
}

/** The HTTP side of a collector, whatever stands behind its routes: limits, CORS, what is in flight, draining. */
export function createHttpServer(parts: HttpServerParts): HttpServer {
  const { sites, settings, log } = parts
  let stopping = false
  const bodies = createOpenBodies(settings)
  const connections = createConnections(settings.maxConnectionsPerAddress)
  const open = new Set<ServerResponse>()
  const metrics = createCollectorMetrics(createMetrics(), {
    requests: () => open.size,
    bytes: () => bodies.bytes,
  })
  const trusts = trustsOf(settings.trustProxy)
  const receive = createReceive({
    sites,
    ready: parts.ready,
    limits: createLimits(settings),
    bodies,
    enrich: createEnrich(parts.places, parts.categoryOf),
    originOf: request => originOf(request, trusts),
    metrics,
  })
  const isOurHost = createHostCheck(settings.allowedHosts)
  const routes = parts.routes({ receive, metrics, refused })
  const handlers = new Map(routes.filter(({ method }) => method !== 'GET').map(({ path, handle }) => [path, handle]))
  const app = createApp({
    sites,
    metrics,
    routes,
    mounted: parts.mounted,
    demoDir: parts.demoDir,
    sdkFile: parts.sdkFile,
    missing: () => [...parts.missing(), ...(stopping ? ['stopping'] : [])],
    trustProxy: settings.trustProxy,
    trusts,
    gate: createAdminGate(parts.adminToken, request => clientAddress(request, trusts)),
    // A page whose own name was made to resolve to this machine comes from near, too, but by another host.
    showsMetrics:
      settings.metricsPort > 0
        ? undefined
        : request => isOurHost(request.headers.host) && isNear(clientOf(request, trusts), settings, trusts),
    sendFailure: (request, response, error) => fail(request, response, error, request.path),
  })

  const server = createServer({ connectionsCheckingInterval: LOOK_OVER_MS }, (request, response) => {
    response.setHeader('X-Request-Id', requestIdOf(request))
    const route = pathOf(request)
    const handler = request.method === 'POST' ? handlers.get(route) : undefined
    // Express costs as much again as all else in such a request, so the busy routes don't go through its router.
    if (handler) void answer(request, response, route, handler)
    else {
      observe(request, response)
      app(request, response)
    }
  })
  // Node leaves out headers behind the 2,000th, in silence: a client's own would take the place of those of a proxy.
  server.maxHeadersCount = 0
  server.headersTimeout = settings.headersTimeoutMs
  server.requestTimeout = settings.requestTimeoutMs
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
  server.maxConnections = settings.maxConnections

  server.on('connection', socket => {
    const address = peerAddress({ socket })
    // A proxy of one's own has the connections of all clients.
    if (!trusts(address, 0)) connections.add(socket, networkOf(address))
  })

  async function answer(request: IncomingMessage, response: ServerResponse, route: string, handler: Handler) {
    observe(request, response, route)
    await handler(request, response).catch(error => fail(request, response, error, route))
  }

  function refused(response: ServerResponse, route: string, error: unknown): Failure {
    parts.onFailure?.(route, error)
    return failureOf(response, error, log)
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown, route: string): Promise<void> {
    parts.onFailure?.(route, error)
    return sendFailure(request, response, error, log)
  }

  function observe(request: IncomingMessage, response: ServerResponse, route?: string) {
    const { socket } = request
    open.add(response)
    // The end of a request without a body is only seen after its answer.
    request.once('end', () => {
      if (open.has(response)) connections.setBusy(socket, true)
    })
    if (stopping) response.shouldKeepAlive = false
    response.once('close', () => {
      open.delete(response)
      connections.setBusy(socket, false)
      metrics.request(route ?? routeOf(request as Request), response.writableFinished ? response.statusCode : 'aborted')
    })
  }

  /** `/metrics` on a port of its own, which is for the network that it is opened on. */
  async function listenForMetrics() {
    const { metricsPort, metricsHost } = settings
    if (metricsPort === 0) return undefined
    const { registry } = metrics
    const fresh = { contentType: registry.contentType, metrics: metrics.text }
    return startStatusServer(metricsPort, metricsHost, { registry: fresh }, parts.missing, isOurHost)
  }

  let metricsServer: Awaited<ReturnType<typeof listenForMetrics>>

  return {
    metrics,
    listen: async (port, host) => {
      metricsServer = await listenForMetrics()
      return new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EADDRINUSE') return reject(error)
          reject(new ConfigurationError(`port ${port} is in use: set PORT to a free one`))
        })
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
      })
    },
    async stop() {
      stopping = true
      // Each connection ends with the answer that is under way, and clients know not to use it again.
      for (const response of open) response.shouldKeepAlive = false
      const closed = new Promise(resolve => server.close(resolve))
      // Connections are kept alive after their answer; as long as one is open, the server isn't closed.
      const closingIdle = setInterval(() => server.closeIdleConnections(), 50)
      const closingAll = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS)
      await closed
      bodies.stop()
      await metricsServer?.close()
      clearInterval(closingIdle)
      clearTimeout(closingAll)
    },
  }
}

/** Express's own reading of the setting, for requests that don't go through it. */
function trustsOf(trustProxy: CollectorSettings['trustProxy']): Trusts {
  const app = express()
  app.set('trust proxy', trustProxy)
  const trusts = app.get('trust proxy fn') as Trusts
  // A number counts hops, whatever their addresses; addresses are taken apart, and those of proxies come with every request.
  if (typeof trustProxy === 'number') return trusts
  const bounds = { max: MAX_TRUST_REMEMBERED, maxKeyLength: MAX_ADDRESS_LENGTH }
  const known = createMemo(bounds, address => trusts(address, 0))
  return address => known(address)
}

/** Where a request comes from, for its limits. */
function originOf(request: IncomingMessage, trusts: Trusts): Origin {
  const address = clientAddress(request, trusts)
  return { address, isOwn: address === peerAddress(request) && trusts(address, 0) }
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
