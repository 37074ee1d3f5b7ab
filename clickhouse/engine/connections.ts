import { randomUUID } from 'node:crypto'
import { toClickHouseException } from '../errors.js'
import { connectionName } from '../query-log/table.js'
import { quoteName, quoteString } from '../sql/quote.js'
import type { EngineConnection } from './engine-connection.js'
import { closeWithTables, type ExternalTable } from './external-tables.js'

export type { EngineConnection, EngineResult } from './engine-connection.js'

/** The state a query wants its connection in. */
export interface ConnectionState {
  database: string
  settings: ReadonlyArray<readonly [name: string, value: string]>
  parameters: ReadonlyArray<readonly [name: string, value: string]>
  /** Locks the connection with `readonly = 1` after the settings, for good. */
  readOnly: boolean
  /** Key of a session whose queries share a connection, so that its temporary tables stay. */
  session?: string
  /** User whose rows of the query log the query may see; none: it sees none of them. */
  reader?: string
  /** Tables that the query brings along. Its connection is then new, and nothing else runs on it. */
  tables?: readonly ExternalTable[]
}

/** A connection that is in the wanted state and serves nobody else. */
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

interface Known {
  connection: EngineConnection
  id: string
  reader: string | undefined
  database: string
  settings: Map<string, string>
  /** Set when the settings can't change any more. */
  lockedTo?: string
}

/** Change other settings behind our back, so that DEFAULT doesn't undo them. */
export const FAR_REACHING = new Set(['profile', 'compatibility'])

/**
 * Connections whose state is known. Settings stick to a connection of the engine: a deduplication token left behind
 * makes the next, unrelated insert vanish silently. So whatever the last query had set and the next one doesn't is
 * put back to DEFAULT before the next one runs, and a connection in doubt is closed. (A fresh connection per query
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
  const idle: Known[] = []
  const ofSessions = new Map<string, Known>()

  function find(state: ConnectionState): Known | undefined {
    if (state.session !== undefined) return ofSessions.get(state.session)
    const lock = state.readOnly ? JSON.stringify(state.settings) : undefined
    const index = idle.findLastIndex(known => known.lockedTo === lock && known.reader === state.reader)
    if (index >= 0) return idle.splice(index, 1)[0]
    return undefined
  }

  /** Statements that bring a connection into a state, with what is known of it after each. */
  function setup(known: Known, state: ConnectionState): { sql: string; done?: () => void }[] {
    const wanted = new Map(state.settings)
    // Ours: by it a query is found that runs.
    wanted.delete('log_comment')
    const steps: { sql: string; done?: () => void }[] = []
    const then = (sql: string, done?: () => void) => steps.push(done ? { sql, done } : { sql })
    if (known.database !== state.database)
      then(`USE ${quoteName(state.database)}`, () => {
        known.database = state.database
      })
    if (known.lockedTo === undefined) {
      for (const name of known.settings.keys())
        if (!wanted.has(name)) then(`SET ${name} = DEFAULT`, () => known.settings.delete(name))
      for (const [name, value] of wanted) {
        if (known.settings.get(name) !== value)
          then(`SET ${name} = ${quoteString(value)}`, () => known.settings.set(name, value))
      }
    }
    for (const [name, value] of state.parameters) then(`SET param_${name} = ${quoteString(value)}`)
    if (state.readOnly && known.lockedTo === undefined) {
      const lock = JSON.stringify(state.settings)
      then('SET readonly = 1', () => {
        known.lockedTo = lock
      })
    }
    return steps
  }

  /** One by one where the connection has to survive a setting that the engine refuses. */
  async function prepare(known: Known, state: ConnectionState): Promise<void> {
    const steps = setup(known, state)
    for (const part of state.session === undefined ? [steps] : steps.map(step => [step])) {
      if (part.length > 0) await known.connection.queryAsync(part.map(({ sql }) => sql).join('; '))
      for (const { done } of part) done?.()
    }
  }

  async function fresh({ reader }: ConnectionState): Promise<Known> {
    const id = connectionName(`slotstream-${randomUUID()}`, reader)
    const known: Known = { connection: connect(), id, reader, database: '', settings: new Map() }
    await known.connection.queryAsync(`SET log_comment = ${quoteString(known.id)}`)
    return known
  }

  function release(known: Known, reusable: boolean, session: string | undefined): void {
    if (session !== undefined && reusable) {
      ofSessions.set(session, known)
      return
    }
    if (session !== undefined) ofSessions.delete(session)
    if (!reusable || [...known.settings.keys()].some(name => FAR_REACHING.has(name))) {
      known.connection.close()
      return
    }
    idle.push(known)
    const locked = known.lockedTo !== undefined
    const alike = idle.filter(other => (other.lockedTo !== undefined) === locked)
    const oldest = alike[0]
    if (alike.length > keep && oldest) {
      idle.splice(idle.indexOf(oldest), 1)
      oldest.connection.close()
    }
  }

  return {
    async lease(state) {
      const known = (state.tables ? undefined : find(state)) ?? (await fresh(state))
      try {
        if (state.tables) known.settings = await load(known.connection, state.tables)
        await prepare(known, state)
      } catch (error) {
        if (state.tables) closeWithTables(known.connection, state.tables)
        else if (state.session === undefined) known.connection.close()
        else ofSessions.set(state.session, known)
        throw toClickHouseException(error)
      }
      let released = false
      return {
        connection: known.connection,
        id: known.id,
        release(reusable) {
          if (released) return
          released = true
          if (state.tables) closeWithTables(known.connection, state.tables)
          else release(known, reusable, state.session)
        },
      }
    },
    endSession(key) {
      ofSessions.get(key)?.connection.close()
      ofSessions.delete(key)
    },
    close() {
      for (const known of [...idle.splice(0), ...ofSessions.values()]) known.connection.close()
      ofSessions.clear()
    },
  }
}
