import { PublishError } from './publish-error.js'
import type { Stored } from './read-ack.js'

/** A message that waits for its acknowledgement. */
export interface Waiting {
  resolve(stored: Stored): void
  reject(error: PublishError): void
  /** Milliseconds since the epoch. */
  deadline: number
  bytes: number
}

/** The messages that are sent and not acknowledged, within bounds. */
export interface Unacknowledged {
  readonly size: number
  has(key: string): boolean
  /** Tells whether one more message of so many bytes is within the bounds. */
  hasRoom(bytes: number): boolean
  add(key: string, waiting: Waiting): void
  /** Removes a message, and returns it. */
  take(key: string): Waiting | undefined
  /** Marks that what was given up is no longer in the socket: the broker answers, or the connection is another one. */
  clearStalled(): void
  /** Rejects those whose deadline is over at `now`, as `timeout`. */
  rejectOverdue(now: number, reason: string): void
  /** Rejects all, as `not_connected`. */
  rejectAll(reason: string): void
}

/** Creates the empty set of messages. Deadlines must be added in ascending order. */
export function createUnacknowledged(maxMessages: number, maxBytes: number): Unacknowledged {
  const waitingOf = new Map<string, Waiting>()
  let bytes = 0
  /**
   * Bytes given up that may still wait in the socket: a broker that stands still must not cost more memory each time.
   */
  let stalledBytes = 0

  function take(key: string): Waiting | undefined {
    const waiting = waitingOf.get(key)
    if (!waiting) return undefined
    waitingOf.delete(key)
    bytes -= waiting.bytes
    return waiting
  }

  return {
    get size() {
      return waitingOf.size
    },
    has: key => waitingOf.has(key),
    hasRoom: more => waitingOf.size < maxMessages && bytes + stalledBytes + more <= maxBytes,
    add(key, waiting) {
      waitingOf.set(key, waiting)
      bytes += waiting.bytes
    },
    take,
    clearStalled() {
      stalledBytes = 0
    },
    rejectOverdue(now, reason) {
      // Insertion order is order of deadline, so this looks at the overdue ones and one more.
      for (const [key, { deadline, bytes: size }] of waitingOf) {
        if (deadline > now) break
        stalledBytes += size
        take(key)?.reject(new PublishError('timeout', reason))
      }
    },
    rejectAll(reason) {
      for (const key of [...waitingOf.keys()]) take(key)?.reject(new PublishError('not_connected', reason))
    },
  }
}
