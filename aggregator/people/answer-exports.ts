import { headers, type Msg } from '@nats-io/transport-node'
import { EXPORT_HEADER, EXPORT_SUBJECT, type ExportRequest } from '@slotstream/protocol'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { exportPerson } from './export-person.js'
import type { FindDeps } from './find/find-person.js'
import { sendExport } from './send-export.js'

/** Exports that a process sends at a time: each keeps a query of ClickHouse open for as long as its client reads. */
const EXPORTS_AT_ONCE = 2

/** A client that reads slowly is no reason to end a query: the longest time that Node can wait, in milliseconds. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** Answers requests for a person's data: one process of all takes each. */
export function answerExports(deps: Omit<FindDeps, 'clickhouse' | 'signal'> & { server: ClickHouseServer }): {
  stop(): Promise<void>
} {
  const { nats, server, log } = deps
  const { connection } = nats
  // A client of its own: exports must not take the connections of deletions.
  const clickhouse = openClickHouse(server, 'exports', { timeoutMs: NO_TIMEOUT_MS })
  let running = 0
  const subscription = connection.subscribe(EXPORT_SUBJECT, {
    queue: 'people',
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests for exports cannot be received')
      const request = parse(message)
      if (running >= EXPORTS_AT_ONCE) return void message.respond('', { headers: saying('busy') })
      message.respond()
      if (!request) return
      running++
      send(request)
        .catch(failure => {
          log.warn({ err: failure, siteId: request.siteId }, 'an export broke off')
          if (!connection.isClosed()) connection.publish(request.inbox, '', { headers: saying('failed') })
        })
        .finally(() => running--)
    },
  })

  function send({ inbox, siteId, ...person }: ExportRequest): Promise<void> {
    return sendExport(connection, inbox, signal => exportPerson({ ...deps, clickhouse, signal }, siteId, person))
  }

  return {
    async stop() {
      // A connection that is closed has ended the subscription.
      if (!connection.isClosed()) await subscription.drain()
      await clickhouse.close()
    },
  }
}

function saying(what: 'busy' | 'failed') {
  const header = headers()
  header.set(EXPORT_HEADER, what)
  return header
}

function parse(message: Msg): ExportRequest | undefined {
  try {
    const { siteId, id, as, inbox } = message.json<Partial<ExportRequest>>()
    if (typeof siteId !== 'string' || typeof id !== 'string' || typeof inbox !== 'string') return undefined
    return { siteId, id, inbox, ...(as === 'userId' || as === 'anonymousId' ? { as } : {}) }
  } catch {
    return undefined
  }
}
