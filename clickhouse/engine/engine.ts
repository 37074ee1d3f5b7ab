import { within } from '@slotstream/runtime'
import { quoteString } from '../sql/quote.js'
import { createConnections, type EngineConnection } from './connections/connections.js'
import { loadTables } from './connections/external-tables.js'
import { readContentTypes } from './content-types.js'
import type { EngineQuery } from './engine-query.js'
import { fromSpool, type QuerySummary, runWhole } from './execute.js'
import { createPipes } from './files/pipes.js'
import { createSpool } from './files/spool.js'
import { createAdmission } from './queue/admission.js'
import { createLane, type Lane } from './queue/lane.js'
import { isKill } from './running/kill-statement.js'
import { createLook, type QueryProgress } from './running/processes.js'
import { startPulse } from './running/pulse.js'
import { createRunningQueries, type EnterLane } from './running/running-queries.js'
import { type StreamResultDeps, streamResult } from './stream-result.js'

export type { EngineQuery } from './engine-query.js'

export interface Engine {
  /** Engine version, e.g. `26.7.2.1`. */
  readonly version: string
  /** Tells the `Content-Type` of an output format. */
  contentTypeOf(format: string): string
  /** Runs a SELECT and hands over its bytes as the engine makes them. Ends or throws with the query. */
  stream(query: EngineQuery, signal: AbortSignal): AsyncGenerator<Buffer, QuerySummary, undefined>
  /** Runs anything else; resolves when it is done, with its (small) output. Once begun, a write isn't cancelled. */
  run(query: EngineQuery, signal: AbortSignal): Promise<{ body: Buffer; summary: QuerySummary }>
  /** Inserts bytes in the statement's format, any of ClickHouse's. Once begun it isn't cancelled. */
  insert(query: EngineQuery, data: Buffer, signal: AbortSignal): Promise<QuerySummary>
  /** Resolves to the progress of the query, by a look at the engine; undefined when it isn't running. */
  progressOf(query: EngineQuery): Promise<QueryProgress | undefined>
  /** Resolves to whether the engine answers now. */
  answers(): Promise<boolean>
  /** Lets go what the queries of a session have left: its temporary tables. */
  endSession(key: string): void
  /** Returns the statement without literals and comments, as the engine reads it; undefined when it doesn't parse. */
  normalize(sql: string): Promise<string | undefined>
  /** Resolves when no write is running, or after `timeoutMs`; then cancels what still runs and closes everything. */
  close(timeoutMs: number): Promise<void>
}

export interface EngineOptions {
  /** Opens one more connection to the data folder. */
  connect: () => EngineConnection
  /** Folder for the named pipes that results come through; nothing else may be in it. */
  pipesFolder: string
  /** Folder for the files that inserted rows come from; nothing else may be in it. */
  spoolFolder: string
  /** Threads of libuv's pool: each running query occupies one. */
  threads: number
  /** Bytes that all queries with an admission may take together. */
  guestMemory: number
  /** Called once, when a crash has left the engine of no use to any query: only a new process helps. */
  onFatal: (error: Error) => void
  /** Queries that may wait per lane. Default 200. */
  queue?: number
}

/** Creates the embedded engine behind lanes: inserts, trusted reads and all others don't wait for one another. */
export async function createEngine({
  connect,
  pipesFolder,
  spoolFolder,
  threads,
  guestMemory,
  onFatal,
  queue = 200,
}: EngineOptions): Promise<Engine> {
  // The first connection starts the engine, locks its data and keeps it up; it also kills queries and looks at them.
  const control = connect()
  const pipes = createPipes(pipesFolder)
  const spool = createSpool(spoolFolder)
  const version = (await control.queryAsync('SELECT version()', { format: 'TSV' })).text().trim()
  const contentTypes = await readContentTypes(control)
  // Threads stay free for KILL QUERY and for looks, for the two parsers of the guard, and some for compression: a third
  // of the others for each kind of work.
  const places = Math.max(1, Math.floor((threads - 3) / 3))
  const lanes = createLanes(places, guestMemory, queue)
  const connections = createConnections(connect, places * 2, (connection, tables) =>
    loadTables(connection, tables, spool),
  )
  const running = createRunningQueries(control, connections)
  const look = createLook(control)
  const pulse = startPulse(control, onFatal)
  const writes = new Set<Promise<unknown>>()
  const streaming: StreamResultDeps = {
    pipes,
    running,
    withConnection: (query, signal, work) => running.run(query, lanes.read, signal, work),
  }

  function writing<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => writes.delete(tracked))
    writes.add(tracked)
    return tracked
  }

  return {
    version,
    contentTypeOf: format => contentTypes.get(format.toLowerCase()) ?? 'text/plain; charset=UTF-8',
    stream: (query, signal) => streamResult(streaming, query, signal),
    async run(query, signal) {
      if (query.statement.kind === 'describe')
        return running.run(query, lanes.read, signal, async ({ connection, id }) => {
          const result = await running.killable(id, signal, runWhole(connection, query))
          return { body: Buffer.from(result.bytes()), summary: { result_rows: result.rowsRead } }
        })
      if (isKill(query.statement)) return { body: await running.killAsAsked(query, lanes.write, signal), summary: {} }
      return writing(
        running.run(query, lanes.write, signal, async ({ connection }) => {
          const result = await runWhole(connection, query)
          return { body: Buffer.from(result.bytes()), summary: {} }
        }),
      )
    },
    insert: (query, data, signal) =>
      writing(
        running.run(query, lanes.write, signal, ({ connection }) =>
          fromSpool(connection, query.statement, spool, data),
        ),
      ),
    async progressOf(query) {
      const id = running.idOf(query)
      return id === undefined ? undefined : (await look()).get(id)
    },
    answers: pulse.beats,
    endSession: connections.endSession,
    normalize: sql => normalizeQuery(control, sql),
    async close(timeoutMs) {
      await within(timeoutMs, Promise.allSettled(writes))
      await running.killAll()
      pulse.stop()
      connections.close()
      control.close()
      pipes.close()
      spool.close()
    },
  }
}

/** Creates the places in which queries wait for their turn: those of guests by what their account may take. */
function createLanes(places: number, guestMemory: number, queue: number): Record<'write' | 'read', EnterLane> {
  const guests = createAdmission(places, guestMemory, queue)
  const entrance = (lane: Lane): EnterLane => {
    return ({ admission }, signal) => (admission ? guests.enter(admission, signal) : lane.enter(signal))
  }
  return { write: entrance(createLane(places, queue)), read: entrance(createLane(places, queue)) }
}

async function normalizeQuery(connection: EngineConnection, sql: string): Promise<string | undefined> {
  const shape = `SELECT normalizeQuery(formatQuerySingleLineOrNull(${quoteString(sql)}))`
  const text = (await connection.queryAsync(shape, { format: 'JSONCompactEachRow' })).text()
  return (JSON.parse(text) as [string | null])[0] ?? undefined
}
