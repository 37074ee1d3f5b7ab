import { type ConnectionState, type KnownConnection, lockOf } from './connection-state.js'

/** Connections without a query and without a session. */
export interface IdleConnections {
  /** Removes one that can be brought into the state, and returns it. */
  take(state: ConnectionState): KnownConnection | undefined
  /** Keeps a connection, and closes the one that waited longest where there are more than enough of its kind. */
  put(known: KnownConnection): void
  /** Removes all, and returns them. */
  takeAll(): KnownConnection[]
}

/**
 * Creates the empty set.
 *
 * @param keep connections to keep of each kind, locked and not
 */
export function createIdleConnections(keep: number): IdleConnections {
  const idle: KnownConnection[] = []
  return {
    take(state) {
      const lock = lockOf(state)
      const index = idle.findLastIndex(known => known.lockedTo === lock && known.reader === state.reader)
      return index >= 0 ? idle.splice(index, 1)[0] : undefined
    },
    put(known) {
      idle.push(known)
      const isLocked = known.lockedTo !== undefined
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
