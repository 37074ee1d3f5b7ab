import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { HOST_ADVICE, type HostCheck } from './host-check.js'
import type { Metrics } from './metrics.js'

/** Each request is short, so that the connection that is open longest is the one to give way. */
const MAX_CONNECTIONS = 200
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const LOOK_OVER_MS = 1_000
const TIMEOUTS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: LOOK_OVER_MS,
}

/**
 * Starts a small HTTP server for a process without one of its own: `/healthz` (the process lives), `/readyz` (it does
 * its work; 503 with what is missing otherwise), `/metrics` (Prometheus).
 *
 * @param isOurHost refuses all but the first two to a `Host` that doesn't name this server
 */
export async function startStatusServer(
  port: number,
  host: string,
  metrics: { registry: Pick<Metrics['registry'], 'contentType' | 'metrics'> },
  missing: () => string[],
  isOurHost: HostCheck,
): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer(TIMEOUTS, async (request, response) => {
    const path = request.url?.split('?')[0]
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
    if (path !== '/healthz' && path !== '/readyz' && !isOurHost(request.headers.host)) {
      json(403, { error: { code: 'unknown_host', message: `this is not the Host of this server: ${HOST_ADVICE}` } })
    } else if (path === '/metrics') {
      response.setHeader('Content-Type', metrics.registry.contentType)
      response.end(await metrics.registry.metrics())
    } else if (path === '/healthz') json(200, { status: 'ok' })
    else if (path === '/readyz') {
      const waitingFor = missing()
      json(
        waitingFor.length === 0 ? 200 : 503,
        waitingFor.length === 0 ? { status: 'ready' } : { status: 'waiting', for: waitingFor },
      )
    } else json(404, { error: { code: 'not_found', message: 'there are /healthz, /readyz and /metrics' } })

    function json(status: number, body: object) {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    }
  })
  boundConnections(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Closes the connection that is open longest when there are too many: idle ones must not keep out a look at the health.
 */
function boundConnections(server: Server): void {
  const open = new Set<Socket>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size > MAX_CONNECTIONS) [...open][0]?.destroy()
  })
}
