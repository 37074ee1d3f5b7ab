import type { Msg } from '@nats-io/transport-node'
import {
  parseResultsRequest,
  parseStored,
  RESULTS_SUBJECT,
  type ResultsReply,
  type ResultsRequest,
  type TrafficReply,
} from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { createAuditStore } from './audits/audit-store.js'
import { countArms, countTraffic } from './count-arms.js'
import { includesBots } from './includes-bots.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 60_000

/** Results that a process reads at a time. */
const AT_ONCE = 2

/** Answers requests for what came of experiments: one process of all takes each. */
export function answerResults({
  nats,
  installation,
  server,
  log,
}: {
  nats: Nats
  installation: { buckets: Pick<Installation['buckets'], 'positions' | 'sites'> }
  server: ClickHouseServer
  log: Log
}): {
  stop(): Promise<void>
} {
  const { connection } = nats
  const clickhouse = openClickHouse(server, 'results', { timeoutMs: TIMEOUT_MS })
  const audits = createAuditStore(installation.buckets.positions, log)
  let running = 0
  const subscription = connection.subscribe(RESULTS_SUBJECT, {
    queue: 'results',
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests for results cannot be received')
      const parsed = parseStored(message.data, parseResultsRequest)
      if (!parsed.ok) return respond(message, { failed: `the request is no ResultsRequest: ${parsed.reason}` })
      const request = parsed.value
      if (running >= AT_ONCE) return respond(message, { failed: 'other results are being read: ask again' })
      running++
      count(request)
        .then(reply => respond(message, reply))
        .catch(failure => {
          log.warn({ err: failure, siteId: request.siteId, slotId: request.slotId }, 'results could not be read')
          const reason = failure instanceof RangeError ? failure.message : 'the warehouse cannot be read now: ask again'
          respond(message, { failed: reason })
        })
        .finally(() => running--)
    },
  })

  /** Rejects, rather than throws, where no query can be written. */
  async function count(request: ResultsRequest): Promise<ResultsReply | TrafficReply> {
    const areBotsIncluded = await includesBots(installation.buckets.sites, request.siteId, log)
    if (request.traffic !== undefined) return countTraffic(clickhouse, request, areBotsIncluded)
    return countArms(clickhouse, request, audits, areBotsIncluded)
  }

  function respond(message: Msg, reply: ResultsReply | TrafficReply): void {
    if (!connection.isClosed()) message.respond(JSON.stringify(reply))
  }

  return {
    async stop() {
      if (!connection.isClosed()) await subscription.drain()
      await clickhouse.close()
    },
  }
}
