import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { Connections } from '../safety/connections.js'

/** The requests that are being answered. */
export interface InFlight {
  readonly size: number
  /**
   * Follows a request until it is answered, or its client is gone.
   *
   * @param route its route, where that is known already
   */
  follow(request: IncomingMessage, response: ServerResponse, route?: string): void
  /** Closes each connection with the answer that is under way; clients know then not to use it again. */
  drain(): void
}

export interface InFlightDeps {
  connections: Pick<Connections, 'setBusy'>
  /** Called with each request that has ended. */
  onEnd: (route: string, status: number | 'aborted') => void
}

/** Creates the empty set of requests. */
export function createInFlight({ connections, onEnd }: InFlightDeps): InFlight {
  const open = new Set<ServerResponse>()
  let isDraining = false
  return {
    get size() {
      return open.size
    },
    follow(request, response, route) {
      const { socket } = request
      open.add(response)
      // The end of a request without a body is only seen after its answer.
      request.once('end', () => {
        if (open.has(response)) connections.setBusy(socket, true)
      })
      if (isDraining) response.shouldKeepAlive = false
      response.once('close', () => {
        open.delete(response)
        connections.setBusy(socket, false)
        onEnd(route ?? routeOf(request as Request), response.writableFinished ? response.statusCode : 'aborted')
      })
    },
    drain() {
      isDraining = true
      for (const response of open) response.shouldKeepAlive = false
    },
  }
}

/** Returns the pattern of the route, not the path: metrics must not have as many series as there are visitors. */
function routeOf(request: Request): string {
  const pattern: unknown = request.route?.path
  return typeof pattern === 'string' ? `${request.baseUrl}${pattern}` : request.baseUrl || 'other'
}
