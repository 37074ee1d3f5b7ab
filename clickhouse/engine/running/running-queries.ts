import { pause, within } from '@slotstream/runtime'
import { toClickHouseException } from '../../errors.js'
import { quoteString } from '../../sql/quote.js'
import type { Connections, EngineConnection, Lease } from '../connections/connections.js'
import type { EngineQuery } from '../engine-query.js'
import { killStatementOf } from './kill-statement.js'

/** How often a cancelled query is killed again: the first KILL can come before the engine has registered it. */
const KILL_INTERVAL_MS = 250
/**
 * How long a KILL QUERY … SYNC waits at most: a client that doesn't read its result holds up even a cancelled query.
 */
const KILL_TIMEOUT_MS = 30_000

/** Waits for a query's place; resolves to what gives it up. */
export type EnterLane = (query: EngineQuery, signal: AbortSignal) => Promise<() => void>

/** The queries that the engine runs, each on a connection of its own, by whose id it can be killed. */
export interface RunningQueries {
  /** Runs work for a query, in its place, on a connection that is in the query's state. */
  run<T>(query: EngineQuery, enter: EnterLane, signal: AbortSignal, work: (lease: Lease) => Promise<T>): Promise<T>
  /** Waits for work that the connection `id` is at; kills its query when the signal is aborted. */
  killable<T>(id: string, signal: AbortSignal, work: Promise<T>): Promise<T>
  /** Runs a KILL QUERY of the trusted user; resolves to its output when the killed ones have ended. */
  killAsAsked(query: EngineQuery, enter: EnterLane, signal: AbortSignal): Promise<Buffer>
  /** Returns the id of the connection that a query runs on. */
  idOf(query: EngineQuery): string | undefined
  /** Kills all, and resolves when they have ended. */
  killAll(): Promise<void>
}

/**
 * Creates the empty set of running queries.
 *
 * @param control connection by which queries are killed
 */
export function createRunningQueries(control: EngineConnection, connections: Connections): RunningQueries {
  const running = new Map<string, { query: EngineQuery; done: Promise<unknown> }>()

  const run: RunningQueries['run'] = async (query, enter, signal, work) => {
    const leave = await enter(query, signal)
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

  return {
    run,
    async killable(id, signal, work) {
      const onAbort = (): void => void kill(id)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        return await work
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
    async killAsAsked(query, enter, signal) {
      const { body, victims } = await run(query, enter, signal, async ({ connection, id }) => {
        const ids = [...running].map(([id, other]) => [id, other.query.id] as const)
        const statement = killStatementOf(query.statement, [...ids, [id, query.id]])
        const idLines = statement.victims && (await connection.queryAsync(statement.victims, { format: 'TSV' })).text()
        const others = (idLines ? idLines.split('\n') : []).filter(victim => victim !== id)
        const victims = others.flatMap(victim => running.get(victim)?.done ?? [])
        const result = await connection.queryAsync(statement.sql, { format: query.format })
        return { body: Buffer.from(result.bytes()), victims }
      })
      // Without a place in a lane, for others to go on.
      await within(KILL_TIMEOUT_MS, Promise.allSettled(victims))
      return body
    },
    idOf: query => [...running].find(([, other]) => other.query === query)?.[0],
    async killAll() {
      const works = [...running.values()].map(({ done }) => done)
      await Promise.all([...running.keys()].map(kill))
      await Promise.allSettled(works)
    },
  }
}
