import type { Msg } from '@nats-io/transport-node'
import { type Check, RECORD_SUBJECT, type RecordReply, type RecordRequest } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { answerFromTables } from '../clickhouse/answer-from-tables.js'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { readRecord } from './read-record.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 25_000

/** Records that a process reads at a time. */
const AT_ONCE = 8

/** Answers requests for the record of a decision: one process of all takes each. */
export function answerRecords(deps: { nats: Nats; server: ClickHouseServer; log: Log }): { stop(): Promise<void> } {
  const { nats, server, log } = deps
  return answerFromTables<RecordRequest>({
    ...{ nats, server, log, subject: RECORD_SUBJECT, name: 'records', what: 'records' },
    timeoutMs: TIMEOUT_MS,
    atOnce: AT_ONCE,
    parse,
    read: async (clickhouse, request) =>
      ({ record: (await readRecord(clickhouse, request)) ?? null }) satisfies RecordReply,
    failed: ({ siteId }) => [{ siteId }, 'the record of a decision could not be read'],
  })
}

function parse(message: Msg): Check<RecordRequest> {
  try {
    const request = message.json<RecordRequest>()
    if ([request.siteId, request.decisionId].every(text => typeof text === 'string'))
      return { ok: true, value: request }
  } catch {
    // No JSON.
  }
  return { ok: false, reason: 'the request is not a RecordRequest' }
}
