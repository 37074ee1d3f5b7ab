import type { Socket } from 'node:net'
import { ClickHouseException } from '../../errors.js'

/** Connections of clients, bounded so that those of some never keep out others, and least of all the trusted user. */
export interface ClientConnections {
  /**
   * Counts a connection until it closes. Beyond the bound one is closed: of those on which no whole request is worked
   * on, the one where nothing began or ended for the longest time. The trusted user's neither count nor are closed.
   */
  add(socket: Socket): void
  /** Says that the trusted user sent a request on a connection: it has the rights of that user until it closes. */
  trust(socket: Socket): void
  /**
   * Says that a whole request has come on a connection, which works on one at a time.
   *
   * @throws ClickHouseException TOO_MANY_SIMULTANEOUS_QUERIES (202) when half of the connections have one
   */
  begin(socket: Socket): void
  /** Says that the request on a connection has been answered, whether it was begun or not. */
  end(socket: Socket): void
  /** Ends looking for answers that aren't read. */
  stop(): void
}

/** Part of the connections that may have a whole request: the others can give way to new ones. */
const BUSY_SHARE = 1 / 2
const LOOK_OVER_MS = 1_000

interface Connection {
  trusted: boolean
  busy: boolean
  /** Bytes that were handed to the system, when last looked at, and since when they are as many. */
  taken: number
  takenAt: number
}

/**
 * @param max connections at a time, without those of the trusted user
 * @param unreadMs how long a client may leave an answer unread that waits to be sent, in milliseconds
 */
export function createClientConnections(max: number, unreadMs: number): ClientConnections {
  /** In the order in which something last began or ended on them. */
  const open = new Map<Socket, Connection>()
  let counted = 0
  let busy = 0
  const lookingOver = setInterval(closeUnread, LOOK_OVER_MS)
  lookingOver.unref()

  function moveToEnd(socket: Socket, connection: Connection): void {
    open.delete(socket)
    open.set(socket, connection)
  }

  function makeRoom(latest: Socket): void {
    if (counted <= max) return
    for (const [socket, connection] of open) {
      if (connection.trusted || connection.busy || socket.destroyed || socket === latest) continue
      return void socket.destroy()
    }
    latest.destroy()
  }

  function closeUnread(): void {
    const now = performance.now()
    for (const [socket, connection] of open) {
      const sentBytes = socket.bytesWritten - socket.writableLength
      if (sentBytes !== connection.taken || socket.writableLength === 0) {
        connection.taken = sentBytes
        connection.takenAt = now
      } else if (!connection.trusted && now - connection.takenAt > unreadMs) socket.destroy()
    }
  }

  function forget(socket: Socket): void {
    const connection = open.get(socket)
    if (!connection) return
    open.delete(socket)
    if (connection.trusted) return
    counted--
    if (connection.busy) busy--
  }

  return {
    add(socket) {
      open.set(socket, { trusted: false, busy: false, taken: 0, takenAt: performance.now() })
      counted++
      socket.once('close', () => forget(socket))
      makeRoom(socket)
    },
    trust(socket) {
      const connection = open.get(socket)
      if (!connection || connection.trusted) return
      connection.trusted = true
      counted--
      if (connection.busy) busy--
    },
    begin(socket) {
      const connection = open.get(socket)
      if (!connection || connection.busy) return
      if (!connection.trusted) {
        const most = Math.max(1, Math.floor(max * BUSY_SHARE))
        if (busy >= most) throw tooMany(most)
        busy++
      }
      connection.busy = true
      moveToEnd(socket, connection)
    },
    end(socket) {
      const connection = open.get(socket)
      if (!connection) return
      if (connection.busy && !connection.trusted) busy--
      connection.busy = false
      moveToEnd(socket, connection)
    },
    stop: () => clearInterval(lookingOver),
  }
}

function tooMany(most: number): ClickHouseException {
  return new ClickHouseException(
    202,
    'TOO_MANY_SIMULTANEOUS_QUERIES',
    `Too many simultaneous queries: ${most} requests are worked on or wait. Try again later`,
  )
}
