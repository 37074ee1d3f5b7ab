import type { Socket } from 'node:net'

/** Connections by network: one network must not take all that the collector may have. */
export interface Connections {
  /**
   * Counts a connection until it closes. Beyond the network's share, its oldest idle one is closed; where all are at
   * work, the new one.
   */
  add(socket: Socket, network: string): void
  /** Says that a whole request is being answered on a connection, or no longer. */
  setBusy(socket: Socket, isBusy: boolean): void
}

/** Creates the empty set of connections, with a bound for each network. */
export function createConnections(maxPerNetwork: number): Connections {
  const byNetwork = new Map<string, Set<Socket>>()
  const busy = new WeakSet<Socket>()

  return {
    add(socket, network) {
      const open = byNetwork.get(network) ?? new Set()
      byNetwork.set(network, open.add(socket))
      socket.once('close', () => {
        open.delete(socket)
        if (open.size === 0) byNetwork.delete(network)
      })
      if (open.size > maxPerNetwork) oldestIdle(open)?.destroy()
    },
    setBusy(socket, isBusy) {
      if (isBusy) busy.add(socket)
      else busy.delete(socket)
    },
  }

  /** The new one is the last, and idle. */
  function oldestIdle(open: Set<Socket>): Socket | undefined {
    for (const socket of open) if (!busy.has(socket) && !socket.destroyed) return socket
    return undefined
  }
}
