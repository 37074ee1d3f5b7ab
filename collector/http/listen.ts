import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError, networkOf } from '@slotstream/runtime'
import type { Connections } from '../safety/connections.js'
import type { CollectorSettings } from '../settings.js'
import { peerAddress, type Trusts } from './request/client-address.js'

/** How often connections are looked over for those that take too long, in milliseconds. */
export const LOOK_OVER_MS = 1_000
/** Longer than the minute after which usual load balancers let go, so that it is never us who close under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
/** How long requests may go on when the server stops, in milliseconds; less than a process gets for it. */
const STOP_TIMEOUT_MS = 8_000

/** Sets a server's limits on connections and on how long a request may take to arrive. */
export function limitConnections(
  server: Server,
  settings: Pick<CollectorSettings, 'headersTimeoutMs' | 'requestTimeoutMs' | 'maxConnections'>,
  connections: Pick<Connections, 'add'>,
  trusts: Trusts,
): void {
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
}

/**
 * Starts to listen. Resolves to the port, which the system chooses for port 0.
 *
 * @throws ConfigurationError when the port is in use
 */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error)
      reject(new ConfigurationError(`port ${port} is in use: set PORT to a free one`))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Takes no more connections. Resolves when all are closed: those with a request after its answer, or after 8 s. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve))
  // Connections are kept alive after their answer; as long as one is open, the server isn't closed.
  const closingIdle = setInterval(() => server.closeIdleConnections(), 50)
  const closingAll = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS)
  await closed
  clearInterval(closingIdle)
  clearTimeout(closingAll)
}
