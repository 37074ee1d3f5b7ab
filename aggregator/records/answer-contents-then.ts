import type { ClickHouseClient } from '@clickhouse/client'
import type { Msg } from '@nats-io/transport-node'
import { contentsOfVersion } from '@slotstream/core'
import {
  type Check,
  CONTENTS_THEN_SUBJECT,
  type ContentsThenReply,
  type ContentsThenRequest,
} from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { answerFromTables } from '../clickhouse/answer-from-tables.js'
import { catalogsAround } from '../clickhouse/catalogs-around.js'
import type { ClickHouseServer } from '../clickhouse/client.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 25_000

/** Catalogs that a process reads at a time: one may have tens of megabytes. */
const AT_ONCE = 2

/** Answers requests for the contents of an earlier version of a slot: one process of all takes each. */
export function answerContentsThen(deps: { nats: Nats; server: ClickHouseServer; log: Log }): {
  stop(): Promise<void>
} {
  const { nats, server, log } = deps
  return answerFromTables<ContentsThenRequest>({
    ...{ nats, server, log, subject: CONTENTS_THEN_SUBJECT, name: 'contents-then', what: 'contents of versions' },
    timeoutMs: TIMEOUT_MS,
    atOnce: AT_ONCE,
    parse,
    read: async (clickhouse, request) =>
      ({ contentIds: (await contentsThen(clickhouse, request)) ?? null }) satisfies ContentsThenReply,
    failed: ({ siteId, slotId }) => [{ siteId, slotId }, 'the contents of an earlier version could not be read'],
  })
}

async function contentsThen(
  clickhouse: ClickHouseClient,
  { siteId, slotId, policyVersion, at, ways }: ContentsThenRequest,
): Promise<string[] | undefined> {
  const arms = ways.map(way => way ?? undefined)
  for await (const catalog of catalogsAround(clickhouse, siteId, slotId, at)) {
    const contentIds = contentsOfVersion(catalog, { slotId, policyVersion }, arms)
    if (contentIds) return contentIds
  }
  return undefined
}

function parse(message: Msg): Check<ContentsThenRequest> {
  try {
    const request = message.json<ContentsThenRequest>()
    const { siteId, slotId, policyVersion, at, ways } = request
    if ([siteId, slotId, policyVersion].every(text => typeof text === 'string') && Number.isSafeInteger(at))
      if (Array.isArray(ways)) return { ok: true, value: request }
  } catch {
    // No JSON.
  }
  return { ok: false, reason: 'the request is not a ContentsThenRequest' }
}
