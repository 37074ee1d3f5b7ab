import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Account } from '../access/accounts.js'
import { clientAddressOf } from '../access/client-address.js'
import type { Authenticate } from '../access/credentials.js'
import type { Engine } from '../engine/engine.js'
import type { QuerySummary } from '../engine/execute.js'
import { ClickHouseException, formatException, toClickHouseException } from '../errors.js'
import type { Guard } from '../guard/guard.js'
import type { QueryLog } from '../query-log/query-log.js'
import { answerClientError, MAX_HEAD_BYTES } from './clients/client-error.js'
import { type ClientBounds, limitClients, TIMEOUTS } from './clients/client-limits.js'
import type { IncomingBody } from './clients/incoming-bodies.js'
import { fail } from './fail.js'
import { createFailureLog } from './failure-log.js'
import { createHead } from './head.js'
import { PROGRESS_HEADER, reportProgress } from './progress.js'
import { recordQuery } from './record-query.js'
import { createReply, encodingFor, type Reply } from './reply.js'
import { readRequest } from './request.js'
import { createSessions } from './sessions.js'
import { corsHeaders, type PageRules, refuseForeignPages, SAFE_HEADERS } from './web-pages.js'

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

/** Codes of statements that can't be read: SYNTAX_ERROR and QUERY_IS_TOO_LARGE. */
const NOT_READ: ReadonlySet<number> = new Set([62, 223])

/** Node leaves out headers behind the 2,000th, in silence, and a proxy's may be among them: so it leaves out none. */
const MAX_HEADERS = 200

function shuttingDown(): ClickHouseException {
  return new ClickHouseException(236, 'ABORTED', 'The server is shutting down')
}

function cancelled(): ClickHouseException {
  return new ClickHouseException(394, 'QUERY_WAS_CANCELLED', 'The client disconnected')
}

/**
 * The ClickHouse HTTP interface over the embedded engine.
 * Source: https://clickhouse.com/docs/interfaces/http
 */
export function createEmbeddedServer(options: EmbeddedServerOptions): EmbeddedServer {
  const { engine, pages, log = () => {} } = options
  /** Running reads, to be cancelled at the end. One signal for all would gather listeners for as long as the server lives. */
  const reads = new Set<AbortController>()
  const sessions = createSessions(engine.endSession)
  const logFailure = createFailureLog({ normalize: engine.normalize, write: log })
  let stopping = false

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]
    for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value)
    response.setHeader('X-ClickHouse-Server-Display-Name', 'slotstream')
    if (request.rawHeaders.length > MAX_HEADERS * 2) return dismiss(request, response, 431)
    if (hasTwoHosts(request)) return dismiss(request, response, 400, 'The request names two hosts\n')
    if (path === '/ping' || path === '/replicas_status') return dismiss(request, response, 200, 'Ok.\n')
    try {
      refuseForeignPages(request.headers, pages)
    } catch (error) {
      return refuse(request, response, toClickHouseException(error))
    }
    const cors = corsHeaders(request.headers, pages)
    for (const [name, value] of cors ?? []) response.setHeader(name, value)
    if (cors && request.method === 'OPTIONS') return dismiss(request, response, 204)
    if (path !== '/') return dismiss(request, response, 404, 'There is no such handle\n')
    if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) return dismiss(request, response, 405)

    const queryId = new URL(request.url ?? '/', 'http://localhost').searchParams.get('query_id') || randomUUID()
    if (/^[\x20-\x7e]+$/.test(queryId)) response.setHeader('X-ClickHouse-Query-Id', queryId)
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('The client disconnected'))
    })
    const head = createHead(response)
    const record = recordQuery(options.queryLog, request, queryId)
    let known: { account?: Account; sql?: string } = {}
    let incoming: IncomingBody | undefined
    let leave = () => {}
    let stopReporting = () => {}
    let reply: Reply | undefined
    let isReady = false
    try {
      if (stopping) throw shuttingDown()
      const ready = await readRequest(request, {
        ...options,
        sessions,
        queryId,
        client: clientAddressOf(request),
        onRead: read => {
          known = read
        },
        receive: account => {
          incoming = clients.receive(request.socket, account)
          return incoming
        },
      })
      if (!ready) return void response.end('Ok.\n')
      if (stopping) throw shuttingDown()
      record.begun(ready)
      isReady = true
      reply = createReply(response, head, {
        format: ready.data ? ready.query.format : (ready.query.statement.format?.name ?? ready.query.format),
        contentTypeOf: engine.contentTypeOf,
        blocks: ready.settings.compressBlocks,
        compress: ready.settings.compress ? encodingFor(request.headers['accept-encoding']?.toString()) : undefined,
        holdEverything: ready.settings.waitEndOfQuery,
      })
      const { query, data, session, settings } = ready
      if (settings.progress && request.method !== 'HEAD') {
        stopReporting = reportProgress({
          intervalMs: settings.progressIntervalMs,
          look: () => engine.progressOf(query),
          send: value => head.send(PROGRESS_HEADER, value),
        })
      }
      // Before the answer's last byte: whoever has that one may send the session's next query.
      leave = () => session?.leave(query.session !== undefined && gone.signal.aborted)
      if (query.readOnly || query.statement.kind === 'rows' || query.statement.kind === 'describe') reads.add(gone)
      let summary: QuerySummary
      if (data !== undefined) {
        summary = await engine.insert(query, data, gone.signal).finally(leave)
        reply.finish(summary)
      } else if (query.statement.kind === 'rows')
        summary = await reply.stream(beforeItsEnd(engine.stream(query, gone.signal), leave))
      else {
        const result = await engine.run(query, gone.signal)
        if (ready.change) session?.remember(ready.change)
        leave()
        summary = ready.change ? {} : result.summary
        reply.finish(summary, ready.change ? undefined : result.body)
      }
      record.ended(known.account, summary)
    } catch (error) {
      leave()
      const exception = response.destroyed ? cancelled() : toClickHouseException(error)
      if (!isReady) record.rejected(await readRejected(known, exception))
      record.ended(known.account, exception)
      if (response.destroyed) return
      logFailure({ queryId, exception, user: known.account?.name, sql: known.sql })
      if (response.headersSent) reply?.breakOff(formatException(exception, engine.version))
      else fail(request, response, head, exception, engine.version)
    } finally {
      leave()
      stopReporting()
      reads.delete(gone)
      incoming?.close()
    }
  }

  /** What the parser makes of a rejected statement, unless it was the parser that rejected it. */
  async function readRejected(known: { account?: Account; sql?: string }, { code }: ClickHouseException) {
    if (!options.queryLog || !known.account || known.sql === undefined || NOT_READ.has(code)) return undefined
    return options.guard.read(known.sql, known.account.role).catch(() => undefined)
  }

  function refuse(request: IncomingMessage, response: ServerResponse, exception: ClickHouseException): void {
    logFailure({ queryId: '', exception, user: undefined, sql: undefined })
    fail(request, response, createHead(response), exception, engine.version)
  }

  const server = createServer({ ...TIMEOUTS, maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    clients
      .take(request.socket, () => answer(request, response))
      .catch(error => {
        // Its message may hold a part of the request.
        log({ msg: 'request failed', type: error instanceof Error ? error.name : typeof error })
        response.destroy()
      })
  })
  server.maxHeadersCount = 0
  server.on('clientError', (error, socket) => answerClientError(error, socket, engine.version))
  const clients = limitClients(server, options)

  return {
    server,
    stop: () =>
      new Promise(resolve => {
        stopping = true
        sessions.close()
        // A connection becomes idle when its last response is out, which close() doesn't look at again.
        const closing = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_INTERVAL_MS)
        server.close(() => {
          clearInterval(closing)
          clients.stop()
          resolve()
        })
        for (const read of reads) read.abort(shuttingDown())
      }),
  }
}

/** Answers a request whose body isn't read; where there is one, nothing would look at how slowly it comes. */
function dismiss({ headers }: IncomingMessage, response: ServerResponse, status: number, text = ''): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  if (hasBody || status === 400) response.shouldKeepAlive = false
  response.writeHead(status).end(text)
}

/** Node takes the first, a proxy in front may take the last. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length > 1
}

async function* beforeItsEnd<T, R>(items: AsyncGenerator<T, R, undefined>, action: () => void) {
  try {
    return yield* items
  } finally {
    action()
  }
}
