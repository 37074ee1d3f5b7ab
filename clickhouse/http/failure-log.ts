import type { ClickHouseException } from '../errors.js'

/** Lines in a second; more failures are counted only. */
const LINES_PER_SECOND = 20
/** Longest statement that is normalized, and longest text of a line, in characters. */
const MAX_STATEMENT = 16 * 1024
const MAX_TEXT = 1_000

/** Words of an id that are a client's own, and fit a line. */
const PLAIN_ID = /^[\w.:-]{1,64}$/

/** A query that failed. */
export interface Failure {
  queryId: string
  exception: ClickHouseException
  user: string | undefined
  /** Undefined where it was rejected before it was read. */
  sql: string | undefined
}

export interface FailureLogOptions {
  /** Returns the statement without literals and comments; undefined for what doesn't parse. */
  normalize: (sql: string) => Promise<string | undefined>
  write: (entry: Record<string, unknown>) => void
  now?: () => number
}

/**
 * Creates the log of failed queries. It holds the statement's shape, code and type: the engine's message holds literals
 * and values of rows, so it goes to the client alone. A statement that doesn't parse has no shape, and is left out.
 */
export function createFailureLog({ normalize, write, now = Date.now }: FailureLogOptions): (failure: Failure) => void {
  let second = 0
  let lines = 0
  let leftOut = 0

  function hasRoom(): boolean {
    const current = Math.floor(now() / 1_000)
    if (current !== second) {
      if (leftOut > 0) write({ msg: 'more queries failed', count: leftOut })
      second = current
      lines = 0
      leftOut = 0
    }
    if (lines >= LINES_PER_SECOND) {
      leftOut++
      return false
    }
    lines++
    return true
  }

  return ({ queryId, exception, user, sql }) => {
    if (!hasRoom()) return
    const { code, type } = exception
    const facts = { msg: 'query failed', code, type, user, ...(PLAIN_ID.test(queryId) && { queryId }) }
    const text = sql === undefined || sql.length > MAX_STATEMENT ? Promise.resolve(undefined) : normalize(sql)
    text.then(
      query => write({ ...facts, ...(query !== undefined && { query: withoutQuoted(query).slice(0, MAX_TEXT) }) }),
      () => write(facts),
    )
  }
}

/** A text in the wrong quotes is a name to the engine. */
function withoutQuoted(query: string): string {
  return query.replace(/`(?:[^`\\]|\\.|``)*`/gs, '?')
}
