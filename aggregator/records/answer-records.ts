import type { Msg } from '@nats-io/transport-node'
import { RECORD_SUBJECT, type RecordReply, type RecordRequest } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { readRecord } from './read-record.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 25_000

/** Records that a process reads at a time. */
const AT_ONCE = 8

/** Answers requests for the record of a decision: one process of all takes each. */
export function answerRecords({ nats, server, log }: { nats: Nats; server: ClickHouseServer; log: Log }): {
  stop(): Promise<void>
} {
  const { connection } = nats
  const clickhouse = openClickHouse(server, 'records', { timeoutMs: TIMEOUT_MS })
  let running = 0
  const subscription = connection.subscribe(RECORD_SUBJECT, {
    queue: 'records',
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests for records cannot be received')
      const request = parse(message)
      if (!request) return respond(message, { failed: 'the request is not a RecordRequest' })
      if (running >= AT_ONCE) return respond(message, { failed: 'other records are being read: ask again' })
      running++
      readRecord(clickhouse, request)
        .then(record => respond(message, { record: record ?? null }))
        .catch(failure => {
          log.warn({ err: failure, siteId: request.siteId }, 'the record of a decision could not be read')
          respond(message, { failed: 'the warehouse cannot be read now: ask again' })
        })
        .finally(() => running--)
    },
  })

  function respond(message: Msg, reply: RecordReply): void {
    if (!connection.isClosed()) message.respond(JSON.stringify(reply))
  }

  return {
    async stop() {
      if (!connection.isClosed()) await subscription.drain()
      await clickhouse.close()
    },
  }
}

function parse(message: Msg): RecordRequest | undefined {
  try {
    const request = message.json<RecordRequest>()
    return [request.siteId, request.decisionId].every(text => typeof text === 'string') ? request : undefined
  } catch {
    return undefined
  }
}
