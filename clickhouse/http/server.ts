import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Authenticate } from '../access/credentials.js'
import type { Engine } from '../engine/engine.js'
import type { ClickHouseException } from '../errors.js'
import type { Guard } from '../guard/guard.js'
import type { QueryLog } from '../query-log/query-log.js'
import { admit } from './admit.js'
import { createQueryAnswers } from './answer-query.js'
import { answerClientError, MAX_HEAD_BYTES } from './clients/client-error.js'
import { type ClientBounds, limitClients, TIMEOUTS } from './clients/client-limits.js'
import { createFailureLog } from './failure-log.js'
import { fail } from './reply/fail.js'
import { createHead } from './reply/head.js'
import { createSessions } from './request/sessions.js'
import type { PageRules } from './web-pages.js'

export interface EmbeddedServerOptions extends ClientBounds {
  engine: Engine
  guard: Guard
  authenticate: Authenticate
  pages: PageRules
  /** Receives an object for a failed request, without anything that the request or a row holds; default: no log. */
  log?: (entry: Record<string, unknown>) => void
  /** Receives every query of analysts and builders; default: none is kept. */
  queryLog?: QueryLog
}

export interface EmbeddedServer {
  server: Server
  /** Stops accepting and cancels running reads; inserts go on. Resolves when every response has ended. */
  stop(): Promise<void>
}

const CLOSE_IDLE_INTERVAL_MS = 20

/**
 * Creates the ClickHouse HTTP interface over the embedded engine.
 * Source: https://clickhouse.com/docs/interfaces/http
 */
export function createEmbeddedServer(options: EmbeddedServerOptions): EmbeddedServer {
  const { engine, pages, log = () => {} } = options
  const sessions = createSessions(engine.endSession)
  const logFailure = createFailureLog({ normalize: engine.normalize, write: log })

  const server = createServer({ ...TIMEOUTS, maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    clients
      .take(request.socket, async () => {
        const isQuery = await admit(request, response, { pages, isAlive: engine.answers, refuse })
        if (isQuery) await queries.answer(request, response)
      })
      .catch(error => {
        // Its message may hold a part of the request.
        log({ msg: 'request failed', type: error instanceof Error ? error.name : typeof error })
        response.destroy()
      })
  })
  // Any number: `admit` counts them, because node would leave out the others in silence.
  server.maxHeadersCount = 0
  server.on('clientError', (error, socket) => answerClientError(error, socket, engine.version))
  const clients = limitClients(server, options)
  const queries = createQueryAnswers({ ...options, sessions, clients, logFailure, queryLog: options.queryLog })

  function refuse(request: IncomingMessage, response: ServerResponse, exception: ClickHouseException): void {
    logFailure({ queryId: '', exception, user: undefined, sql: undefined })
    fail(request, response, createHead(response), exception, engine.version)
  }

  return {
    server,
    stop: () =>
      new Promise(resolve => {
        sessions.close()
        // A connection becomes idle when its last response is out, which close() doesn't look at again.
        const closing = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_INTERVAL_MS)
        server.close(() => {
          clearInterval(closing)
          clients.stop()
          resolve()
        })
        queries.stop()
      }),
  }
}
