import { pause, within } from '@slotstream/runtime'
import { toClickHouseException } from '../errors.js'
import { quoteString } from '../sql/quote.js'
import { type AdmissionRequest, createAdmission } from './admission.js'
import { type ConnectionState, createConnections, type EngineConnection, type Lease } from './connections.js'
import { readContentTypes } from './content-types.js'
import { type Executable, fromSpool, intoPipe, type QuerySummary, runWhole } from './execute.js'
import { loadTables } from './external-tables.js'
import { isKill, killStatementOf } from './kill-statement.js'
import { createLane, type Lane } from './lane.js'
import { createPipes, type Pipe } from './pipes.js'
import { createLook, type QueryProgress } from './processes.js'
import { createSpool } from './spool.js'

/** One query with everything that belongs to it. */
export interface EngineQuery extends ConnectionState, Executable {
  /** Its id in ClickHouse's sense, for KILL QUERY. */
  id: string
  /** Whose it is and what it may take; none for the trusted user, which has lanes of its own. */
  admission?: AdmissionRequest
}

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
  /** How far the query has come, by a look at the engine; undefined when it isn't running. */
  progressOf(query: EngineQuery): Promise<QueryProgress | undefined>
  /** Lets go what the queries of a session have left: its temporary tables. */
  endSession(key: string): void
  /** The statement without literals and comments, as the engine reads it; undefined when it doesn't parse. */
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
  /** Queries that may wait per lane. Default 200. */
  queue?: number
}

/** How often a cancelled query is killed again: the first KILL can come before the engine has registered it. */
const KILL_INTERVAL_MS = 250
/** How long a KILL QUERY … SYNC waits at most: a client that doesn't read its result holds up even a cancelled query. */
const KILL_TIMEOUT_MS = 30_000

/** The embedded engine behind lanes: inserts, trusted reads and all others don't wait for one another. */
export async function createEngine({
  connect,
  pipesFolder,
  spoolFolder,
  threads,
  guestMemory,
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
  const lanes = { write: createLane(places, queue), read: createLane(places, queue) }
  const guests = createAdmission(places, guestMemory, queue)
  const connections = createConnections(connect, places * 2, (connection, tables) =>
    loadTables(connection, tables, spool),
  )
  const running = new Map<string, { query: EngineQuery; done: Promise<unknown> }>()
  const look = createLook(control)
  const writes = new Set<Promise<unknown>>()

  /** Runs one piece of work on a leased connection, known by its id so that it can be killed. */
  async function withConnection<T>(
    query: EngineQuery,
    lane: Lane,
    signal: AbortSignal,
    work: (lease: Lease) => Promise<T>,
  ): Promise<T> {
    const leave = await (query.admission ? guests.enter(query.admission, signal) : lane.enter(signal))
    try {
      const lease = await connections.lease(query)
      try {
        signal.throwIfAborted()
        const done = work(lease)
        running.set(lease.id, { query, done })
        return await done
      } catch (error) {
        throw signal.aborted ? signal.reason : toClickHouseException(error)
      } finally {
        running.delete(lease.id)
        // SET, USE and temporary tables would outlive their query; a late KILL would hit the next one.
        lease.release((query.statement.kind !== 'other' || query.session !== undefined) && !signal.aborted)
      }
    } finally {
      leave()
    }
  }

  async function kill(id: string): Promise<void> {
    while (running.has(id)) {
      await control.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(id)} ASYNC`).catch(() => {})
      await pause(KILL_INTERVAL_MS)
    }
  }

  /** A KILL QUERY of the trusted user. It waits without a place in a lane, for others to go on. */
  async function killAsAsked(query: EngineQuery, signal: AbortSignal): Promise<Buffer> {
    const { body, victims } = await withConnection(query, lanes.write, signal, async ({ connection, id }) => {
      const ids = [...running].map(([id, other]) => [id, other.query.id] as const)
      const kill = killStatementOf(query.statement, [...ids, [id, query.id]])
      const found = kill.victims && (await connection.queryAsync(kill.victims, { format: 'TSV' })).text().split('\n')
      const victims = (found || []).filter(victim => victim !== id).flatMap(victim => running.get(victim)?.done ?? [])
      const result = await connection.queryAsync(kill.sql, { format: query.format })
      return { body: Buffer.from(result.bytes()), victims }
    })
    await within(KILL_TIMEOUT_MS, Promise.allSettled(victims))
    return body
  }

  async function killable<T>(id: string, signal: AbortSignal, work: Promise<T>): Promise<T> {
    const onAbort = (): void => void kill(id)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await work
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  function writing<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => writes.delete(tracked))
    writes.add(tracked)
    return tracked
  }

  return {
    version,
    contentTypeOf: format => contentTypes.get(format.toLowerCase()) ?? 'text/plain; charset=UTF-8',

    async *stream(query, signal) {
      // A reader that leaves early must stop the query too, or the engine would write into a full pipe for ever.
      const left = new AbortController()
      const stop = AbortSignal.any([signal, left.signal])
      let opened: (pipe: Pipe) => void
      const opening = new Promise<Pipe>(resolve => {
        opened = resolve
      })
      const ended = withConnection(query, lanes.read, stop, async ({ connection, id }) => {
        const pipe = await pipes.take()
        opened(pipe)
        try {
          return await killable(id, stop, intoPipe(connection, query, pipe))
        } finally {
          pipe.finish()
        }
      })
      const pipe = await Promise.race([opening, ended.then(() => opening)])
      try {
        for await (const chunk of pipe.reader) yield chunk as Buffer
        const result = await ended
        if (result.bytes().length > 0) yield Buffer.from(result.bytes())
        return { result_rows: result.rowsRead }
      } finally {
        left.abort(new Error('The reader of the result left'))
        pipe.reader.destroy()
        await ended.catch(() => {})
        pipe.release()
      }
    },

    run(query, signal) {
      if (query.statement.kind === 'describe') {
        return withConnection(query, lanes.read, signal, async ({ connection, id }) => {
          const result = await killable(id, signal, runWhole(connection, query))
          return { body: Buffer.from(result.bytes()), summary: { result_rows: result.rowsRead } }
        })
      }
      if (isKill(query.statement)) return killAsAsked(query, signal).then(body => ({ body, summary: {} }))
      return writing(
        withConnection(query, lanes.write, signal, async ({ connection }) => {
          const result = await runWhole(connection, query)
          return { body: Buffer.from(result.bytes()), summary: {} }
        }),
      )
    },

    insert(query, data, signal) {
      return writing(
        withConnection(query, lanes.write, signal, ({ connection }) =>
          fromSpool(connection, query.statement, spool, data),
        ),
      )
    },

    async progressOf(query) {
      const id = [...running].find(([, other]) => other.query === query)?.[0]
      return id === undefined ? undefined : (await look()).get(id)
    },

    endSession: connections.endSession,

    async normalize(sql) {
      const shape = `SELECT normalizeQuery(formatQuerySingleLineOrNull(${quoteString(sql)}))`
      const text = (await control.queryAsync(shape, { format: 'JSONCompactEachRow' })).text()
      return (JSON.parse(text) as [string | null])[0] ?? undefined
    },

    async close(timeoutMs) {
      await within(timeoutMs, Promise.allSettled(writes))
      const works = [...running.values()].map(({ done }) => done)
      await Promise.all([...running.keys()].map(kill))
      await Promise.allSettled(works)
      connections.close()
      control.close()
      pipes.close()
      spool.close()
    },
  }
}
