import type { Socket } from 'node:net'
import { ClickHouseException } from '../../errors.js'

/** Bounds on bodies that are on their way or in memory. */
export interface BodyRules {
  /** Bytes of all that aren't the trusted user's, decompressed. */
  maxBytes: number
  /** Bytes a second that a body must bring on average, after a time of grace in milliseconds. */
  minBytesPerSecond: number
  graceMs: number
  /** How long the trusted user may leave a body without a byte, in milliseconds; its pace is its own. */
  trustedPauseMs: number
}

/** The body of one request, from its first byte until the request is answered. */
export interface IncomingBody {
  /** Rejects with a ClickHouseException if the body must give way before it is complete. */
  readonly lost: Promise<never>
  /** Counts bytes, decompressed. Throws what the body was lost by, so that nothing reads on. */
  arrived(bytes: number): void
  /** Says that all of it is here. */
  complete(): void
  /** Gives back its room. */
  close(): void
}

/** Bodies that are received or worked on. */
export interface IncomingBodies {
  /** @param isTrusted whether it is the trusted user's */
  open(socket: Pick<Socket, 'bytesRead'>, isTrusted: boolean): IncomingBody
  stop(): void
}

const LOOK_OVER_MS = 1_000

interface Receiving {
  socket: Pick<Socket, 'bytesRead'>
  isTrusted: boolean
  /** Of the connection, when the body began. */
  bytesBefore: number
  since: number
  /** Of the connection, when last looked at, and since when they are as many. */
  bytesRead: number
  readAt: number
  /** In memory. */
  size: number
  lose(error: ClickHouseException): void
}

/** @param now milliseconds; must not go back */
export function createIncomingBodies(rules: BodyRules, now: () => number = () => performance.now()): IncomingBodies {
  /** In the order in which they began. */
  const receiving = new Set<Receiving>()
  let total = 0
  const lookingOver = setInterval(dropSlow, LOOK_OVER_MS)
  lookingOver.unref()

  function dropSlow(): void {
    const time = now()
    for (const body of receiving) {
      if (body.socket.bytesRead !== body.bytesRead) {
        body.bytesRead = body.socket.bytesRead
        body.readAt = time
      }
      const overdue = (time - body.since - rules.graceMs) / 1_000
      const isSlow = body.isTrusted
        ? time - body.readAt > rules.trustedPauseMs
        : overdue > 0 && body.bytesRead - body.bytesBefore < overdue * rules.minBytesPerSecond
      if (isSlow) body.lose(tooSlow(rules))
    }
  }

  /** Ends bodies until the rest has room, the oldest first: one that arrives at once is never that for long. */
  function makeRoom(latest: Receiving): void {
    for (const body of receiving) {
      if (total <= rules.maxBytes) return
      if (body !== latest && !body.isTrusted) body.lose(noRoom())
    }
    if (total > rules.maxBytes && total > latest.size) latest.lose(noRoom())
  }

  return {
    open(socket, isTrusted) {
      let reject: (error: ClickHouseException) => void
      const lost = new Promise<never>((_, onLost) => {
        reject = onLost
      })
      lost.catch(() => {})
      let lostBy: ClickHouseException | undefined
      const { bytesRead } = socket
      const [since, readAt] = [now(), now()]
      const giveBack = (): void => {
        receiving.delete(body)
        total -= body.size
        body.size = 0
      }
      const body: Receiving = {
        socket,
        isTrusted,
        bytesBefore: bytesRead,
        since,
        bytesRead,
        readAt,
        size: 0,
        lose(error) {
          lostBy = error
          giveBack()
          reject(error)
        },
      }
      receiving.add(body)
      return {
        lost,
        arrived(bytes) {
          if (lostBy) throw lostBy
          if (isTrusted) return
          body.size += bytes
          total += bytes
          makeRoom(body)
        },
        complete: () => void receiving.delete(body),
        close: giveBack,
      }
    },
    stop: () => clearInterval(lookingOver),
  }
}

function tooSlow({ minBytesPerSecond }: BodyRules): ClickHouseException {
  const what = `The request's body arrives too slowly: send at least ${minBytesPerSecond} bytes a second`
  return new ClickHouseException(209, 'SOCKET_TIMEOUT', what, undefined, { status: 408 })
}

function noRoom(): ClickHouseException {
  const what = 'Too many bytes of requests are on their way: send this again later'
  return new ClickHouseException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', what)
}
