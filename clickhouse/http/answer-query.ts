import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from '../access/accounts.js'
import { clientAddressOf } from '../access/client-address.js'
import type { Authenticate } from '../access/credentials.js'
import type { Engine } from '../engine/engine.js'
import type { QuerySummary } from '../engine/execute.js'
import { ClickHouseException, formatException, toClickHouseException } from '../errors.js'
import type { Guard } from '../guard/guard.js'
import type { QueryLog } from '../query-log/query-log.js'
import type { ClientLimits } from './clients/client-limits.js'
import type { IncomingBody } from './clients/incoming-bodies.js'
import type { Failure } from './failure-log.js'
import { recordQuery } from './record-query.js'
import { fail } from './reply/fail.js'
import { createHead, type Head } from './reply/head.js'
import { PROGRESS_HEADER, reportProgress } from './reply/progress.js'
import { createReply, encodingFor, type Reply } from './reply/reply.js'
import { type ReadyRequest, readRequest } from './request/request.js'
import type { Sessions } from './request/sessions.js'

export interface AnswerQueryDeps {
  engine: Engine
  guard: Guard
  authenticate: Authenticate
  /** Largest body of the trusted user, decompressed, in bytes. */
  maxBody: number
  sessions: Sessions
  clients: Pick<ClientLimits, 'receive'>
  queryLog: QueryLog | undefined
  logFailure: (failure: Failure) => void
}

/** The answers to queries. */
export interface QueryAnswers {
  /** Answers one request for a query, with its result or an error. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Refuses what comes from now on, and cancels running reads; inserts go on. */
  stop(): void
}

/** Creates the answers to queries: reads each request, runs it in the engine, and replies while it runs. */
export function createQueryAnswers(deps: AnswerQueryDeps): QueryAnswers {
  const { engine, logFailure } = deps
  /**
   * Running reads, to be cancelled at the end. One signal for all would gather listeners for as long as the server
   * lives.
   */
  const reads = new Set<AbortController>()
  let isStopping = false

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const queryId = queryIdOf(request)
    if (/^[\x20-\x7e]+$/.test(queryId)) response.setHeader('X-ClickHouse-Query-Id', queryId)
    const gone = abortWhenGone(response)
    const head = createHead(response)
    const record = recordQuery(deps.queryLog, request, queryId)
    let facts: { account?: Account; sql?: string } = {}
    let incoming: IncomingBody | undefined
    let leave = () => {}
    let stopReporting = () => {}
    let reply: Reply | undefined
    try {
      refuseWhenStopping()
      const ready = await readRequest(request, {
        ...deps,
        queryId,
        client: clientAddressOf(request),
        onRead: read => {
          facts = read
        },
        receive: account => {
          incoming = deps.clients.receive(request.socket, account)
          return incoming
        },
      })
      if (!ready) return void response.end('Ok.\n')
      refuseWhenStopping()
      record.begun(ready)
      reply = replyTo(ready, request, response, head)
      stopReporting = reportWhileRunning(ready, request, head)
      // Before the answer's last byte: a client that has it may send the session's next query.
      leave = () => ready.session?.leave(ready.query.session !== undefined && gone.signal.aborted)
      if (isRead(ready)) reads.add(gone)
      record.ended(facts.account, await run(engine, ready, reply, gone.signal, leave))
    } catch (error) {
      leave()
      const exception = response.destroyed ? cancelled() : toClickHouseException(error)
      // Without a reply the statement was rejected before it began.
      if (!reply) record.rejected(await readRejected(deps, facts, exception))
      record.ended(facts.account, exception)
      if (response.destroyed) return
      logFailure({ queryId, exception, user: facts.account?.name, sql: facts.sql })
      if (response.headersSent) reply?.breakOff(formatException(exception, engine.version))
      else fail(request, response, head, exception, engine.version)
    } finally {
      leave()
      stopReporting()
      reads.delete(gone)
      incoming?.close()
    }
  }

  function refuseWhenStopping(): void {
    if (isStopping) throw shuttingDown()
  }

  function replyTo(ready: ReadyRequest, { headers }: IncomingMessage, response: ServerResponse, head: Head): Reply {
    const { data, query, settings } = ready
    return createReply(response, head, {
      format: data ? query.format : (query.statement.format?.name ?? query.format),
      contentTypeOf: engine.contentTypeOf,
      blocks: settings.compressBlocks,
      compress: settings.compress ? encodingFor(headers['accept-encoding']?.toString()) : undefined,
      holdEverything: settings.waitEndOfQuery,
    })
  }

  function reportWhileRunning({ query, settings }: ReadyRequest, { method }: IncomingMessage, head: Head): () => void {
    if (!settings.progress || method === 'HEAD') return () => {}
    return reportProgress({
      intervalMs: settings.progressIntervalMs,
      look: () => engine.progressOf(query),
      send: value => head.send(PROGRESS_HEADER, value),
    })
  }

  return {
    answer,
    stop() {
      isStopping = true
      for (const read of reads) read.abort(shuttingDown())
    },
  }
}

/**
 * Runs a request in the engine and sends what it yields.
 *
 * @param leave leaves the session; called before the last byte of the answer
 */
async function run(
  engine: Engine,
  { query, data, change, session }: ReadyRequest,
  reply: Reply,
  signal: AbortSignal,
  leave: () => void,
): Promise<QuerySummary> {
  if (data !== undefined) {
    const summary = await engine.insert(query, data, signal).finally(leave)
    reply.finish(summary)
    return summary
  }
  if (query.statement.kind === 'rows') return reply.stream(beforeItsEnd(engine.stream(query, signal), leave), signal)
  const result = await engine.run(query, signal)
  if (change) session?.remember(change)
  leave()
  const summary = change ? {} : result.summary
  reply.finish(summary, change ? undefined : result.body)
  return summary
}

/** Tells whether a request changes nothing, so that it may be cancelled at any moment. */
function isRead({ query: { readOnly, statement } }: ReadyRequest): boolean {
  return readOnly || statement.kind === 'rows' || statement.kind === 'describe'
}

function queryIdOf({ url = '/' }: IncomingMessage): string {
  return new URL(url, 'http://localhost').searchParams.get('query_id') || randomUUID()
}

function abortWhenGone(response: ServerResponse): AbortController {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The client disconnected'))
  })
  return gone
}

async function* beforeItsEnd<T, R>(items: AsyncGenerator<T, R, undefined>, action: () => void) {
  try {
    return yield* items
  } finally {
    action()
  }
}

function shuttingDown(): ClickHouseException {
  return new ClickHouseException(236, 'ABORTED', 'The server is shutting down')
}

function cancelled(): ClickHouseException {
  return new ClickHouseException(394, 'QUERY_WAS_CANCELLED', 'The client disconnected')
}

/** Codes of statements that cannot be read: SYNTAX_ERROR and QUERY_IS_TOO_LARGE. */
const NOT_READ: ReadonlySet<number> = new Set([62, 223])

/** Returns what the parser makes of a rejected statement, unless it was the parser that rejected it. */
async function readRejected(
  { queryLog, guard }: Pick<AnswerQueryDeps, 'queryLog' | 'guard'>,
  { account, sql }: { account?: Account; sql?: string },
  { code }: ClickHouseException,
): Promise<string | undefined> {
  if (!queryLog || !account || sql === undefined || NOT_READ.has(code)) return undefined
  return guard.read(sql, account.role).catch(() => undefined)
}
