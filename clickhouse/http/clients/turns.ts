import type { Socket } from 'node:net'

/**
 * Runs the requests of a connection one after the other: a client may send the next ones before the first is answered.
 */
export interface Turns {
  /** Runs the work when that before it on this connection has ended; not at all once the connection is closed. */
  take(socket: Socket, work: () => Promise<void>): Promise<void>
}

/** @param max requests of a connection that may wait; one more closes it */
export function createTurns(max: number): Turns {
  const lines = new WeakMap<Socket, { waiting: number; last: Promise<void> }>()
  return {
    async take(socket, work) {
      const line = lines.get(socket) ?? { waiting: 0, last: Promise.resolve() }
      lines.set(socket, line)
      if (line.waiting > max) return void socket.destroy()
      line.waiting++
      const before = line.last
      const mine = before.then(() => (socket.destroyed ? undefined : work())).finally(() => line.waiting--)
      // An error goes to its own caller.
      line.last = mine.catch(() => {})
      await mine
    },
  }
}
