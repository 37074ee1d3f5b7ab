import type { ClickHouseClient } from '@clickhouse/client'
import type { Msg } from '@nats-io/transport-node'
import type { Check } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from './client.js'

/** Requests of one kind that are answered from the tables. */
export interface TableAnswers<Request> {
  nats: Nats
  server: ClickHouseServer
  log: Log
  subject: string
  /** Name of the queue, so that one process of all takes each request, and of the connection to ClickHouse. */
  name: string
  /** The kind of thing asked for, as error messages name it: `records`. */
  what: string
  /** Longest time of a query, in milliseconds. */
  timeoutMs: number
  /** Requests that a process answers at a time. */
  atOnce: number
  /** Checks a request; the reason is in the reply. */
  parse(message: Msg): Check<Request>
  /** Resolves to the reply. Rejects where the tables cannot be read. */
  read(clickhouse: ClickHouseClient, request: Request): Promise<object>
  /** Fields and text that the log has of a request that could not be answered. */
  failed(request: Request): [fields: object, text: string]
  /** Returns what is told of a failure. Default: that the warehouse cannot be read now */
  reasonOf?(failure: unknown): string | undefined
}

/** Answers requests from the tables, some at a time, until it is stopped. Without an answer the reply says why. */
export function answerFromTables<Request>(answers: TableAnswers<Request>): { stop(): Promise<void> } {
  const { nats, server, log, subject, name, what, timeoutMs, atOnce } = answers
  const { connection } = nats
  const clickhouse = openClickHouse(server, name, { timeoutMs })
  let running = 0

  /** Rejects, rather than throws, where no query can be written. */
  async function read(request: Request): Promise<object> {
    return answers.read(clickhouse, request)
  }

  const subscription = connection.subscribe(subject, {
    queue: name,
    callback(error, message) {
      if (error) return log.error({ err: error }, `requests for ${what} cannot be received`)
      const parsed = answers.parse(message)
      if (!parsed.ok) return respond(message, { failed: parsed.reason })
      if (running >= atOnce) return respond(message, { failed: `other ${what} are being read: ask again` })
      running++
      read(parsed.value)
        .then(reply => respond(message, reply))
        .catch(failure => {
          const [fields, text] = answers.failed(parsed.value)
          log.warn({ err: failure, ...fields }, text)
          respond(message, { failed: answers.reasonOf?.(failure) ?? 'the warehouse cannot be read now: ask again' })
        })
        .finally(() => running--)
    },
  })

  function respond(message: Msg, reply: object): void {
    if (!connection.isClosed()) message.respond(JSON.stringify(reply))
  }

  return {
    async stop() {
      if (!connection.isClosed()) await subscription.drain()
      await clickhouse.close()
    },
  }
}
