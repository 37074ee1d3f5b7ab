import type { Msg } from '@nats-io/transport-node'
import {
  type Check,
  isObject,
  MAX_VALUE_CHANGES,
  VALUE_HISTORY_SUBJECT,
  type ValueHistoryReply,
  type ValueHistoryRequest,
} from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { answerFromTables } from '../clickhouse/answer-from-tables.js'
import type { ClickHouseServer } from '../clickhouse/client.js'
import { readBuiltIn } from '../profiles/definitions/built-in-edition.js'
import { createSitesDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../profiles/definitions/watch-definitions.js'
import { readHistory } from './read-history.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 25_000

/** Histories that a process reads at a time: each may hold thousands of messages. */
const AT_ONCE = 2

export interface HistoriesDeps {
  nats: Nats
  installation: Pick<Installation, 'buckets'>
  server: ClickHouseServer
  /** See `applyAndDetect`. */
  anonymousDays: number
  log: Log
}

/** Answers which messages changed a value: one process of all takes each request. */
export async function answerHistories(deps: HistoriesDeps): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, server, anonymousDays, log } = deps
  const definitions = createSitesDefinitions(log, await readBuiltIn(installation.buckets.definitions))
  const watching = await watchDefinitions(nats, installation.buckets.definitions, definitions.set, log)
  const answering = answerFromTables<ValueHistoryRequest>({
    ...{ nats, server, log, subject: VALUE_HISTORY_SUBJECT, name: 'value-history', what: 'histories' },
    timeoutMs: TIMEOUT_MS,
    atOnce: AT_ONCE,
    parse,
    async read(clickhouse, request): Promise<ValueHistoryReply> {
      const history = await readHistory(request, { clickhouse, definitionsOf: definitions.of, anonymousDays })
      return history ? { history } : { failed: `the feature ${request.feature} is not in effect yet` }
    },
    failed: ({ siteId }) => [{ siteId }, 'the history of a value could not be read'],
  })
  return {
    async stop() {
      watching.stop()
      await answering.stop()
    },
  }
}

function parse(message: Msg): Check<ValueHistoryRequest> {
  const request = requestOf(message)
  return request ? { ok: true, value: request } : { ok: false, reason: 'the request is not a ValueHistoryRequest' }
}

function requestOf(message: Msg): ValueHistoryRequest | undefined {
  try {
    const request: unknown = message.json()
    if (!isObject(request)) return undefined
    const { siteId, userId, browsers, feature, limit } = request
    const areTexts = [siteId, userId, feature].every(text => typeof text === 'string')
    if (!areTexts || !Array.isArray(browsers) || !browsers.every(id => typeof id === 'string')) return undefined
    if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_VALUE_CHANGES) return undefined
    return { siteId, userId, browsers, feature, limit } as ValueHistoryRequest
  } catch {
    return undefined
  }
}
