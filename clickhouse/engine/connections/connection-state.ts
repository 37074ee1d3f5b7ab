import { quoteName, quoteString } from '../../sql/quote.js'
import type { EngineConnection } from './engine-connection.js'
import type { ExternalTable } from './external-tables.js'

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

/** A connection, and the state that it is in. */
export interface PooledConnection {
  connection: EngineConnection
  /** Value of `log_comment` on this connection. */
  id: string
  reader: string | undefined
  database: string
  settings: Map<string, string>
  /** Set when the settings can't change any more: see `lockOf`. */
  lockedTo?: string
}

/** A statement that changes a connection's state, and what notes the change. */
export interface StateStep {
  sql: string
  done?: () => void
}

/** Returns what a connection is locked to that may serve the state; undefined where it must not be locked. */
export function lockOf({ readOnly, settings }: ConnectionState): string | undefined {
  return readOnly ? JSON.stringify(settings) : undefined
}

/** Lists the statements that bring a connection into a state. */
export function stepsTo(state: ConnectionState, pooled: PooledConnection): StateStep[] {
  const steps: StateStep[] = []
  if (pooled.database !== state.database)
    steps.push({
      sql: `USE ${quoteName(state.database)}`,
      done: () => {
        pooled.database = state.database
      },
    })
  if (pooled.lockedTo === undefined) steps.push(...settingSteps(state, pooled.settings))
  for (const [name, value] of state.parameters) steps.push({ sql: `SET param_${name} = ${quoteString(value)}` })
  const lock = lockOf(state)
  if (lock !== undefined && pooled.lockedTo === undefined)
    steps.push({
      sql: 'SET readonly = 1',
      done: () => {
        pooled.lockedTo = lock
      },
    })
  return steps
}

function settingSteps(state: ConnectionState, current: Map<string, string>): StateStep[] {
  const target = new Map(state.settings)
  // Ours: by it a query is found that runs.
  target.delete('log_comment')
  const steps: StateStep[] = []
  for (const name of current.keys())
    if (!target.has(name)) steps.push({ sql: `SET ${name} = DEFAULT`, done: () => current.delete(name) })
  for (const [name, value] of target)
    if (current.get(name) !== value)
      steps.push({ sql: `SET ${name} = ${quoteString(value)}`, done: () => current.set(name, value) })
  return steps
}
