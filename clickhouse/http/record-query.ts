import type { IncomingMessage } from 'node:http'
import type { Account } from '../access/accounts.js'
import type { QuerySummary } from '../engine/execute.js'
import { normalizedText } from '../query-log/normalize.js'
import type { QueryLog } from '../query-log/query-log.js'
import type { ReadyRequest } from './request/request.js'

/** Stands for the text of a statement that the engine's parser does not read, which may have literals anywhere. */
const UNREADABLE = '<unreadable>'

/** The record of one request, for the query log. */
export interface QueryRecord {
  /** Says that the statement may run. */
  begun(ready: ReadyRequest): void
  /**
   * Says that the statement was rejected. `canonical`: what the parser made of it; absent where it could not read it.
   */
  rejected(canonical: string | undefined): void
  /** Says how the request ended: with a result, or an error's code. */
  ended(account: Account | undefined, end: QuerySummary | { code: number }): void
}

/** Begins a record. The user `slotstream` has none: it loads all day, and is the operator's own. */
export function recordQuery(log: QueryLog | undefined, request: IncomingMessage, queryId: string): QueryRecord {
  const startedAt = Date.now()
  let ready: ReadyRequest | undefined
  let text: string | undefined
  return {
    begun(begun) {
      ready = begun
      text = begun.query.statement.sql
    },
    rejected(canonical) {
      text = canonical
    },
    ended(account, end) {
      if (!log || !account || account.role === 'writer') return
      const statement = ready?.query.statement
      log.record({
        user: account.name,
        queryId,
        userAgent: request.headers['user-agent'] ?? '',
        verb: statement?.verb ?? '',
        query: text === undefined ? UNREADABLE : shapeOf(text),
        database: ready?.query.database ?? '',
        startedAt,
        started: ready !== undefined,
        exceptionCode: 'code' in end ? end.code : 0,
        summary: 'code' in end ? {} : end,
      })
    },
  }
}

/** Gives a marker rather than a text with literals. */
function shapeOf(sql: string): string {
  try {
    return normalizedText(sql)
  } catch {
    return UNREADABLE
  }
}
