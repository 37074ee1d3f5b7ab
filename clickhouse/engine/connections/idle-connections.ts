import { type ConnectionState, lockOf, type PooledConnection } from './connection-state.js'

/** Connections without a query and without a session. */
export interface IdleConnections {
  /** Removes one that can be brought into the state, and returns it. */
  take(state: ConnectionState): PooledConnection | undefined
  /** Keeps a connection, and closes the one that waited longest where there are more than enough of its kind. */
  put(pooled: PooledConnection): void
  /** Removes all, and returns them. */
  takeAll(): PooledConnection[]
}

/**
 * Creates the empty set.
 *
 * @param keep connections to keep of each kind, locked and not
 */
export function createIdleConnections(keep: number): IdleConnections {
  const idle: PooledConnection[] = []
  return {
    take(state) {
      const lock = lockOf(state)
      const index = idle.findLastIndex(pooled => pooled.lockedTo === lock && pooled.reader === state.reader)
      return index >= 0 ? idle.splice(index, 1)[0] : undefined
    },
    put(pooled) {
      idle.push(pooled)
      const isLocked = pooled.lockedTo !== undefined
      const alike = idle.filter(other => (other.lockedTo !== undefined) === isLocked)
      const oldest = alike[0]
      if (alike.length > keep && oldest) {
        idle.splice(idle.indexOf(oldest), 1)
        oldest.connection.close()
      }
    },
    takeAll: () => idle.splice(0),
  }
}
