import { quoteString } from '../../sql/quote.js'
import { isWord, type Statement } from '../../sql/statement.js'

/** A `KILL QUERY` as the engine is to run it. */
export interface KillStatement {
  sql: string
  /** Asks for the connections of the queries it is about; undefined when it doesn't wait for their end. */
  victims?: string
}

/** Tells whether a statement kills queries. */
export function isKill({ verb, tokens }: Statement): boolean {
  return verb === 'KILL' && isWord(tokens[1], 'QUERY') && tokens.some(token => isWord(token, 'WHERE'))
}

/**
 * Fits a `KILL QUERY` to this server. The engine gives ids of its own, so `query_id` in the condition becomes the one
 * that came with the request. And the engine's `SYNC` waits for ever: the kill itself is made ASYNC, and the caller
 * waits.
 *
 * @param running id of the connection and of the request, for all queries that run; at least one
 * @param statement one that `isKill`
 */
export function killStatementOf(
  { sql, tokens }: Statement,
  running: ReadonlyArray<readonly [connection: string, query: string]>,
): KillStatement {
  const where = tokens.find(token => isWord(token, 'WHERE'))!
  const mode = tokens.find(
    (token, i) => isWord(token, 'SYNC') && (i === tokens.length - 1 || isWord(tokens[i + 1], 'FORMAT')),
  )
  const list = (values: string[]): string => `[${values.map(quoteString).join(', ')}]`
  const id = `transform(Settings['log_comment'], ${list(running.map(([connection]) => connection))}, ${list(
    running.map(([, query]) => query),
  )}, query_id)`

  /** Returns the text between two places, with what stands for `query_id` in it. */
  const between = (start: number, end: number): string => {
    let text = ''
    let at = start
    for (const token of tokens) {
      if (token.start < start || token.end > end) continue
      if (token.text !== 'query_id' || (token.kind !== 'word' && token.kind !== 'quoted')) continue
      text += sql.slice(at, token.start) + id
      at = token.end
    }
    return text + sql.slice(at, end)
  }

  if (!mode) return { sql: between(0, sql.length) }
  const condition = between(where.start, mode.start)
  return {
    sql: `${sql.slice(0, where.start)}${condition}ASYNC${sql.slice(mode.end)}`,
    victims: `SELECT Settings['log_comment'] FROM system.processes ${condition}`,
  }
}
