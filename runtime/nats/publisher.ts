import { createInbox, headers, type Msg, type PublishOptions } from '@nats-io/transport-node'
import type { Nats } from './nats.js'

/** How long an acknowledgement may take, in milliseconds, and how often that is looked at. */
const TIMEOUT_MS = 5_000
const SWEEP_MS = 250

/** Bounds on what is sent and not acknowledged. Beyond them the stream is too slow, and memory must not pay for it. */
const MAX_PENDING = 4_096
const MAX_PENDING_BYTES = 64 * 1024 * 1024

/**
 * From so many messages under way on, the next ones are gathered for up to so many milliseconds: one write to the
 * socket of four messages costs hardly more than one of a single message. A quiet process sends at once.
 */
const BUSY = 8
const GATHER_MS = 1

/** JetStream's code of the error that a subject's last message isn't the expected one. */
const WRONG_LAST_SEQUENCE = 10071

export type PublishErrorCode =
  | 'not_connected'
  | 'overloaded'
  | 'not_sent'
  | 'no_stream'
  | 'refused'
  | 'conflict'
  | 'timeout'

/** JetStream did not acknowledge a message: it may or may not be stored, and has to be sent again. */
export class PublishError extends Error {
  override name = 'PublishError'

  constructor(
    readonly code: PublishErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** JetStream's acknowledgement. */
export interface Stored {
  /** Sequence in the stream; of a duplicate, that of the first send. */
  seq: number
  duplicate: boolean
}

export interface Publisher {
  /** Number of messages that are sent and not acknowledged. */
  readonly pending: number
  /**
   * Publishes a message; resolves when JetStream has stored it.
   *
   * @param msgId JetStream stores a message with an id it knows, of the last two minutes, only once; without one,
   *   each time
   * @param expected sequence of the subject's last message, 0 for none: of another one, it is refused as a `conflict`
   * @throws PublishError at once when there is no connection, when it is lost, or when too many are pending
   */
  publish(subject: string, data: Uint8Array | string, msgId?: string, expected?: number): Promise<Stored>
  close(): void
}

interface Pending {
  resolve(stored: Stored): void
  reject(error: PublishError): void
  deadline: number
  bytes: number
}

/**
 * Publishes to JetStream over one shared reply inbox. The client's own `js.publish` makes a request for each message,
 * which costs six times as much.
 */
export function createPublisher(
  nats: Nats,
  { timeoutMs = TIMEOUT_MS, maxPending = MAX_PENDING, maxPendingBytes = MAX_PENDING_BYTES } = {},
): Publisher {
  const { connection } = nats
  const inbox = createInbox(nats.inboxPrefix)
  const pending = new Map<string, Pending>()
  let pendingBytes = 0
  /**
   * Bytes given up that may still wait in the socket: a broker that stands still must not cost more memory each time.
   */
  let stalledBytes = 0
  const outbox: { key: string; subject: string; data: Uint8Array | string; options: PublishOptions }[] = []
  let token = 0
  let lost = false

  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (!error) settle(message)
    },
  })
  // Insertion order is order of deadline, so a sweep looks at the overdue ones and one more.
  const sweeper = setInterval(() => {
    const now = Date.now()
    for (const [key, { deadline }] of pending) {
      if (deadline > now) break
      const overdue = take(key)
      stalledBytes += overdue?.bytes ?? 0
      overdue?.reject(new PublishError('timeout', `JetStream did not acknowledge within ${timeoutMs} ms`))
    }
  }, SWEEP_MS)
  sweeper.unref()
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') lost = false
      if (type !== 'disconnect' && type !== 'close') continue
      lost = true
      stalledBytes = 0
      // Their acknowledgements went down with the connection; waiting would only keep clients waiting.
      rejectAll('the connection to NATS was lost')
    }
  })()

  /** Sends what was gathered: one write to the socket instead of one for each. */
  function send() {
    for (const { key, subject, data, options } of outbox.splice(0)) {
      if (!pending.has(key)) continue
      try {
        connection.publish(subject, data, options)
      } catch (error) {
        take(key)?.reject(new PublishError('not_sent', 'the message could not be sent', { cause: error }))
      }
    }
  }

  function settle(message: Msg) {
    stalledBytes = 0
    const waiting = take(message.subject.slice(inbox.length + 1))
    if (!waiting) return
    if (message.headers?.code === 503)
      return waiting.reject(new PublishError('no_stream', 'no stream takes this subject'))
    try {
      const ack = message.json<{
        seq?: number
        duplicate?: boolean
        error?: { err_code?: number; description?: string }
      }>()
      if (ack.error || !ack.seq)
        waiting.reject(
          new PublishError(
            ack.error?.err_code === WRONG_LAST_SEQUENCE ? 'conflict' : 'refused',
            `JetStream refused: ${ack.error?.description}`,
          ),
        )
      else waiting.resolve({ seq: ack.seq, duplicate: ack.duplicate === true })
    } catch {
      waiting.reject(new PublishError('refused', 'JetStream answered something that is no acknowledgement'))
    }
  }

  function take(key: string): Pending | undefined {
    const waiting = pending.get(key)
    if (!waiting) return undefined
    pending.delete(key)
    pendingBytes -= waiting.bytes
    return waiting
  }

  function rejectAll(reason: string) {
    for (const key of [...pending.keys()]) take(key)?.reject(new PublishError('not_connected', reason))
  }

  return {
    get pending() {
      return pending.size
    },
    publish(subject, data, msgId, expected) {
      if (lost || !nats.connected)
        return Promise.reject(new PublishError('not_connected', 'there is no connection to NATS'))
      if (pending.size >= maxPending || pendingBytes + stalledBytes + data.length > maxPendingBytes)
        return Promise.reject(new PublishError('overloaded', 'too many messages wait for their acknowledgement'))
      return new Promise((resolve, reject) => {
        const key = (token++).toString(36)
        const options: PublishOptions = { reply: `${inbox}.${key}` }
        if (msgId !== undefined || expected !== undefined) options.headers = headers()
        if (msgId !== undefined) options.headers?.append('Nats-Msg-Id', msgId)
        if (expected !== undefined) options.headers?.append('Nats-Expected-Last-Subject-Sequence', String(expected))
        outbox.push({ key, subject, data, options })
        if (outbox.length === 1) {
          if (pending.size < BUSY) setImmediate(send)
          else setTimeout(send, GATHER_MS)
        }
        pending.set(key, { resolve, reject, deadline: Date.now() + timeoutMs, bytes: data.length })
        pendingBytes += data.length
      })
    },
    close() {
      clearInterval(sweeper)
      if (!connection.isClosed()) subscription.unsubscribe()
      rejectAll('the publisher was closed')
    },
  }
}
