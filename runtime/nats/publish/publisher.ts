import { createInbox, headers, type Msg, type NatsConnection, type PublishOptions } from '@nats-io/transport-node'
import type { Nats } from '../connection/nats.js'
import { PublishError } from './publish-error.js'
import { readAck, type Stored } from './read-ack.js'
import { createUnacknowledged } from './unacknowledged.js'

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

export interface Publisher {
  /** Number of messages that are sent and not acknowledged. */
  readonly pending: number
  /**
   * Publishes a message; resolves when JetStream has stored it.
   *
   * @param msgId JetStream stores a message with an id it knows, of the last two minutes, only once; without one,
   *   each time
   * @param expected sequence of the subject's last message, 0 for none: of another one, it is rejected as a `conflict`
   * @throws PublishError at once when there is no connection, when it is lost, or when too many are pending
   */
  publish(subject: string, data: Uint8Array | string, msgId?: string, expected?: number): Promise<Stored>
  close(): void
}

interface Outgoing {
  key: string
  subject: string
  data: Uint8Array | string
  options: PublishOptions
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
  const pending = createUnacknowledged(maxPending, maxPendingBytes)
  const outbox: Outgoing[] = []
  let token = 0

  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (!error) settle(message)
    },
  })
  const sweeper = setInterval(
    () => pending.rejectOverdue(Date.now(), `JetStream did not acknowledge within ${timeoutMs} ms`),
    SWEEP_MS,
  )
  sweeper.unref()
  const isLost = watchLoss(connection, () => {
    pending.clearStalled()
    // Their acknowledgements went down with the connection; waiting would only keep clients waiting.
    pending.rejectAll('the connection to NATS was lost')
  })

  /** Sends what was gathered: one write to the socket instead of one for each. */
  function send() {
    for (const { key, subject, data, options } of outbox.splice(0)) {
      if (!pending.has(key)) continue
      try {
        connection.publish(subject, data, options)
      } catch (error) {
        pending.take(key)?.reject(new PublishError('not_sent', 'the message could not be sent', { cause: error }))
      }
    }
  }

  function settle(message: Msg) {
    pending.clearStalled()
    const waiting = pending.take(message.subject.slice(inbox.length + 1))
    if (!waiting) return
    const answer = readAck(message)
    if (answer instanceof PublishError) waiting.reject(answer)
    else waiting.resolve(answer)
  }

  return {
    get pending() {
      return pending.size
    },
    publish(subject, data, msgId, expected) {
      if (isLost() || !nats.connected)
        return Promise.reject(new PublishError('not_connected', 'there is no connection to NATS'))
      if (!pending.hasRoom(data.length))
        return Promise.reject(new PublishError('overloaded', 'too many messages wait for their acknowledgement'))
      return new Promise((resolve, reject) => {
        const key = (token++).toString(36)
        outbox.push({ key, subject, data, options: optionsOf(`${inbox}.${key}`, msgId, expected) })
        if (outbox.length === 1) {
          if (pending.size < BUSY) setImmediate(send)
          else setTimeout(send, GATHER_MS)
        }
        pending.add(key, { resolve, reject, deadline: Date.now() + timeoutMs, bytes: data.length })
      })
    },
    close() {
      clearInterval(sweeper)
      if (!connection.isClosed()) subscription.unsubscribe()
      pending.rejectAll('the publisher was closed')
    },
  }
}

/** Calls `onLoss` whenever the connection is lost. Returns what tells whether it is lost now. */
function watchLoss(connection: NatsConnection, onLoss: () => void): () => boolean {
  let isLost = false
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') isLost = false
      if (type !== 'disconnect' && type !== 'close') continue
      isLost = true
      onLoss()
    }
  })()
  return () => isLost
}

function optionsOf(reply: string, msgId: string | undefined, expected: number | undefined): PublishOptions {
  if (msgId === undefined && expected === undefined) return { reply }
  const fields = headers()
  if (msgId !== undefined) fields.append('Nats-Msg-Id', msgId)
  if (expected !== undefined) fields.append('Nats-Expected-Last-Subject-Sequence', String(expected))
  return { reply, headers: fields }
}
