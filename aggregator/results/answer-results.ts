import type { ClickHouseClient } from '@clickhouse/client'
import {
  parseResultsRequest,
  parseStored,
  RESULTS_SUBJECT,
  type ResultsReply,
  type ResultsRequest,
  type TrafficReply,
} from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { answerFromTables } from '../clickhouse/answer-from-tables.js'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { createAuditStore } from './audits/audit-store.js'
import { countArms, countTraffic } from './count-arms.js'
import { includesBots } from './includes-bots.js'
import { createStandingStore } from './tournaments/standing-store.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 60_000

/** Results that a process reads at a time. */
const AT_ONCE = 2

/** Answers requests for what came of experiments: one process of all takes each. */
export function answerResults(deps: {
  nats: Nats
  installation: { buckets: Pick<Installation['buckets'], 'positions' | 'sites'> }
  server: ClickHouseServer
  log: Log
}): { stop(): Promise<void> } {
  const { nats, installation, server, log } = deps
  const audits = createAuditStore(installation.buckets.positions, log)
  const candidates = createStandingStore(installation.buckets.positions, log)

  async function count(clickhouse: ClickHouseClient, request: ResultsRequest): Promise<ResultsReply | TrafficReply> {
    const areBotsIncluded = await includesBots(installation.buckets.sites, request.siteId, log)
    if (request.traffic !== undefined) return countTraffic(clickhouse, request, areBotsIncluded)
    const { siteId, experiment } = request
    const standings = experiment?.tournament && (await candidates.read(siteId, experiment.id))
    return { ...(await countArms(clickhouse, request, audits, areBotsIncluded)), ...(standings && { standings }) }
  }

  return answerFromTables<ResultsRequest>({
    ...{ nats, server, log, subject: RESULTS_SUBJECT, name: 'results', what: 'results' },
    timeoutMs: TIMEOUT_MS,
    atOnce: AT_ONCE,
    parse(message) {
      const parsed = parseStored(message.data, parseResultsRequest)
      return parsed.ok ? parsed : { ok: false, reason: `the request is no ResultsRequest: ${parsed.reason}` }
    },
    read: count,
    failed: ({ siteId, slotId }) => [{ siteId, slotId }, 'results could not be read'],
    reasonOf: failure => (failure instanceof RangeError ? failure.message : undefined),
  })
}
