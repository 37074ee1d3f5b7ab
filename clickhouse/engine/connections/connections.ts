import { randomUUID } from 'node:crypto'
import { toClickHouseException } from '../../errors.js'
import { connectionName } from '../../query-log/table.js'
import { quoteString } from '../../sql/quote.js'
import { type ConnectionState, type PooledConnection, stepsTo } from './connection-state.js'
import type { EngineConnection } from './engine-connection.js'
import { closeWithTables, type ExternalTable } from './external-tables.js'
import { createIdleConnections } from './idle-connections.js'

export type { ConnectionState } from './connection-state.js'
export type { EngineConnection, EngineResult } from './engine-connection.js'

/** A connection that is in the wanted state, and serves one query only. */
export interface Lease {
  connection: EngineConnection
  /** Value of `log_comment` on this connection, by which a running query can be killed. */
  id: string
  /** Ends the lease. `reusable: false` when the query was killed or may have left something on the connection. */
  release(reusable: boolean): void
}

export interface Connections {
  lease(state: ConnectionState): Promise<Lease>
  /** Closes the connection of a session, with its temporary tables. */
  endSession(key: string): void
  close(): void
}

/** Change other settings behind our back, so that DEFAULT doesn't undo them. */
export const FAR_REACHING = new Set(['profile', 'compatibility'])

/**
 * Creates connections whose state is known. Settings stick to a connection of the engine: a deduplication token left
 * behind makes the next, unrelated insert vanish silently. So whatever the last query had set and the next one doesn't
 * is put back to DEFAULT before the next one runs, and a connection in doubt is closed. (A fresh connection per query
 * would be simpler, but the library closes none while any query runs, and one weighs 350 KB.)
 *
 * @param connect opens one more connection
 * @param keep idle connections to keep of each kind, locked and not
 * @param load puts the tables of a query into its connection, and returns the settings that it leaves there
 */
export function createConnections(
  connect: () => EngineConnection,
  keep: number,
  load: (connection: EngineConnection, tables: readonly ExternalTable[]) => Promise<Map<string, string>> = async () =>
    new Map(),
): Connections {
  const idle = createIdleConnections(keep)
  const ofSessions = new Map<string, PooledConnection>()

  function find(state: ConnectionState): PooledConnection | undefined {
    return state.session !== undefined ? ofSessions.get(state.session) : idle.take(state)
  }

  /** One by one where the connection has to survive a setting that the engine refuses. */
  async function prepare(pooled: PooledConnection, state: ConnectionState): Promise<void> {
    const steps = stepsTo(state, pooled)
    for (const part of state.session === undefined ? [steps] : steps.map(step => [step])) {
      if (part.length > 0) await pooled.connection.queryAsync(part.map(({ sql }) => sql).join('; '))
      for (const { done } of part) done?.()
    }
  }

  async function fresh({ reader }: ConnectionState): Promise<PooledConnection> {
    const id = connectionName(`slotstream-${randomUUID()}`, reader)
    const pooled: PooledConnection = { connection: connect(), id, reader, database: '', settings: new Map() }
    await pooled.connection.queryAsync(`SET log_comment = ${quoteString(pooled.id)}`)
    return pooled
  }

  function release(pooled: PooledConnection, reusable: boolean, session: string | undefined): void {
    if (session !== undefined && reusable) {
      ofSessions.set(session, pooled)
      return
    }
    if (session !== undefined) ofSessions.delete(session)
    if (!reusable || [...pooled.settings.keys()].some(name => FAR_REACHING.has(name))) pooled.connection.close()
    else idle.put(pooled)
  }

  return {
    async lease(state) {
      const pooled = (state.tables ? undefined : find(state)) ?? (await fresh(state))
      try {
        if (state.tables) pooled.settings = await load(pooled.connection, state.tables)
        await prepare(pooled, state)
      } catch (error) {
        if (state.tables) closeWithTables(pooled.connection, state.tables)
        else if (state.session === undefined) pooled.connection.close()
        else ofSessions.set(state.session, pooled)
        throw toClickHouseException(error)
      }
      let released = false
      return {
        connection: pooled.connection,
        id: pooled.id,
        release(reusable) {
          if (released) return
          released = true
          if (state.tables) closeWithTables(pooled.connection, state.tables)
          else release(pooled, reusable, state.session)
        },
      }
    },
    endSession(key) {
      ofSessions.get(key)?.connection.close()
      ofSessions.delete(key)
    },
    close() {
      for (const pooled of [...idle.takeAll(), ...ofSessions.values()]) pooled.connection.close()
      ofSessions.clear()
    },
  }
}
