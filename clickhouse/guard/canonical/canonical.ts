import type { EngineConnection } from '../../engine/connections/connections.js'
import { ClickHouseException, toClickHouseException } from '../../errors.js'
import { quoteString } from '../../sql/quote.js'

/** One statement as the engine's own parser understands it. */
export interface Canonical {
  /** Canonical text: escapes decoded, comments gone, keywords in capitals, names in backticks where needed. */
  sql: string
  /** Whether it also parses as a subquery, in which no second statement can stand. */
  subquery: boolean
}

/** Reads a statement. Rejects with SYNTAX_ERROR (62) unless the text is exactly one. */
export type ReadCanonical = (text: string) => Promise<Canonical>

/** Largest text of a statement, in bytes: the engine's own `max_query_size`. Rows of an INSERT don't count. */
const MAX_STATEMENT_BYTES = 262_144

/** Statements remembered, and bytes of text of one: dashboards and loaders send the same ones again and again. */
const REMEMBERED = 500
const MAX_REMEMBERED_BYTES = 8 * 1024

/**
 * The canonical text as a subquery takes it: formatting clauses belong to a whole query. A text without the word has
 * no such clause, and the engine need not compile a pattern for it.
 */
const WITHOUT_FORMAT = String.raw`replaceRegexpOne(f, ' FORMAT [\`\\w]+( SETTINGS |$)', '\\1')`
const inSubquery = (text: string): string => (/format/i.test(text) ? WITHOUT_FORMAT : 'f')

/**
 * Creates a reader that lets the engine parse statements, and never run them.
 *
 * @param connection one that serves nothing else; a query on it waits for the one before
 */
export function createCanonicalReader(connection: EngineConnection): ReadCanonical {
  const remembered = new Map<string, Promise<Canonical>>()
  let ready: Promise<unknown> | undefined

  async function read(text: string): Promise<Canonical> {
    // The literal is at most twice as long as the text it holds, and the text is in the statement once.
    // One row needs no threads to write it, which take longer than the row.
    ready ??= connection.queryAsync(
      `SET max_query_size = ${MAX_STATEMENT_BYTES * 4}, max_threads = 1, implicit_select = 0, ` +
        'output_format_parallel_formatting = 0',
    )
    await ready
    const look =
      `WITH formatQuerySingleLine(${quoteString(text)}) AS f SELECT f, ` +
      `isNotNull(formatQuerySingleLineOrNull(concat('SELECT * FROM (', ${inSubquery(text)}, ')')))`
    try {
      const result = await connection.queryAsync(look, { format: 'JSONCompactEachRow' })
      const [sql, subquery] = JSON.parse(result.text()) as [string, 0 | 1]
      return { sql, subquery: subquery === 1 }
    } catch (error) {
      throw ofTheStatement(toClickHouseException(error))
    }
  }

  return text => {
    if (text.trim() === '') return Promise.reject(new ClickHouseException(62, 'SYNTAX_ERROR', 'Empty query'))
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_STATEMENT_BYTES) {
      return Promise.reject(
        new ClickHouseException(
          223,
          'QUERY_IS_TOO_LARGE',
          `The statement has more than ${MAX_STATEMENT_BYTES} bytes: send long lists as parameters, and rows with INSERT … FORMAT`,
        ),
      )
    }
    const earlier = remembered.get(text)
    if (earlier) {
      remembered.delete(text)
      remembered.set(text, earlier)
      return earlier
    }
    const reading = read(text)
    if (bytes <= MAX_REMEMBERED_BYTES) {
      remembered.set(text, reading)
      if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value!)
      reading.catch(() => remembered.delete(text))
    }
    return reading
  }
}

/** Returns the engine's error without the query that was wrapped around the statement. */
function ofTheStatement(error: ClickHouseException): ClickHouseException {
  const end = error.message.search(/: (?:In scope |while executing |While processing )/)
  const cut = end < 0 ? error.message : error.message.slice(0, end)
  // As a server says it. Clients take the first capitals in brackets for the error's name.
  const message = cut.replace(/^(Syntax error: failed at position \d+) \((?!['"`])(\S+?)\)(?=[: ])/, "$1 ('$2')")
  return new ClickHouseException(error.code, error.type, message, { cause: error })
}
