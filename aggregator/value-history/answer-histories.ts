import type { Msg } from '@nats-io/transport-node'
import {
  isObject,
  MAX_VALUE_CHANGES,
  VALUE_HISTORY_SUBJECT,
  type ValueHistoryReply,
  type ValueHistoryRequest,
} from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { type ClickHouseServer, openClickHouse } from '../clickhouse/client.js'
import { createSitesDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '../profiles/definitions/watch-definitions.js'
import { readHistory } from './read-history.js'

/** Longest time of a query, in milliseconds. */
const TIMEOUT_MS = 25_000

/** Histories that a process reads at a time: each may hold thousands of messages. */
const AT_ONCE = 2

export interface HistoriesParts {
  nats: Nats
  installation: Pick<Installation, 'buckets'>
  server: ClickHouseServer
  /** See `applyAndDetect`. */
  anonymousDays: number
  log: Log
}

/** Answers which messages changed a value: one process of all takes each request. */
export async function answerHistories(parts: HistoriesParts): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, server, anonymousDays, log } = parts
  const { connection } = nats
  const definitions = createSitesDefinitions(log)
  const watching = await watchDefinitions(nats, installation.buckets.definitions, definitions.set, log)
  const clickhouse = openClickHouse(server, 'value-history', { timeoutMs: TIMEOUT_MS })
  const deps = { clickhouse, definitionsOf: definitions.of, anonymousDays }
  let running = 0
  const subscription = connection.subscribe(VALUE_HISTORY_SUBJECT, {
    queue: 'value-history',
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests for histories of values cannot be received')
      const request = parse(message)
      if (!request) return respond(message, { failed: 'the request is not a ValueHistoryRequest' })
      if (running >= AT_ONCE) return respond(message, { failed: 'other histories are being read: ask again' })
      running++
      readHistory(request, deps)
        .then(history =>
          respond(message, history ? { history } : { failed: `the feature ${request.feature} is not in effect yet` }),
        )
        .catch(failure => {
          log.warn({ err: failure, siteId: request.siteId }, 'the history of a value could not be read')
          respond(message, { failed: 'the warehouse cannot be read now: ask again' })
        })
        .finally(() => running--)
    },
  })

  function respond(message: Msg, reply: ValueHistoryReply): void {
    if (!connection.isClosed()) message.respond(JSON.stringify(reply))
  }

  return {
    async stop() {
      watching.stop()
      if (!connection.isClosed()) await subscription.drain()
      await clickhouse.close()
    },
  }
}

function parse(message: Msg): ValueHistoryRequest | undefined {
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
