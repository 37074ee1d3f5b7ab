import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Account } from '../../access/accounts.js'
import { createClientConnections } from './client-connections.js'
import { createIncomingBodies, type IncomingBody } from './incoming-bodies.js'
import { createTurns } from './turns.js'

/** Requests of one connection that may wait for the one before. */
const MAX_PIPELINED = 100
/** How long a client may leave an answer unread. */
const UNREAD_MS = 120_000
/** A body of 1 MB has half an hour, and the trusted user's as long as it sends. */
const MIN_BODY_BYTES_PER_SECOND = 500
const BODY_GRACE_MS = 10_000
const TRUSTED_PAUSE_MS = 600_000
/** At least what one body of a builder may have. */
const MIN_BODIES_BYTES = 64 * 1024 * 1024

/** Timeouts of node's own. A long insert may take its time: bodies are looked at by their progress. */
export const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  /** Longer than clients keep an idle connection, so that none sends into one that is being closed. */
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
}

/** Limits on clients before their queries run. */
export interface ClientLimits {
  /** Begins to receive the body of a request whose account is known; when it is whole, there must be a place for it. */
  receive(socket: Socket, account: Account): IncomingBody
  /** Runs the work of a request when its connection has none before it. */
  take(socket: Socket, work: () => Promise<void>): Promise<void>
  stop(): void
}

/** Bounds on connections, and on bodies in bytes: of all clients, except for the trusted user. */
export interface ClientBounds {
  /** At a time. */
  maxConnections: number
  /** Largest body of the trusted user, decompressed; those of all others may have as many bytes together. */
  maxBody: number
}

/** Puts the limits on a server. */
export function limitClients(server: Server, { maxConnections, maxBody }: ClientBounds): ClientLimits {
  const connections = createClientConnections(maxConnections, UNREAD_MS)
  const turns = createTurns(MAX_PIPELINED)
  const bodies = createIncomingBodies({
    maxBytes: Math.max(maxBody, MIN_BODIES_BYTES),
    minBytesPerSecond: MIN_BODY_BYTES_PER_SECOND,
    graceMs: BODY_GRACE_MS,
    trustedPauseMs: TRUSTED_PAUSE_MS,
  })
  server.on('connection', connections.add)
  return {
    receive(socket, { role }) {
      const isTrusted = role === 'writer'
      if (isTrusted) connections.trust(socket)
      const body = bodies.open(socket, isTrusted)
      return {
        ...body,
        complete() {
          body.complete()
          connections.begin(socket)
        },
      }
    },
    take: (socket, work) => turns.take(socket, () => work().finally(() => connections.end(socket))),
    stop() {
      connections.stop()
      bodies.stop()
    },
  }
}
