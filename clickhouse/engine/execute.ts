import { ClickHouseException, toClickHouseException } from '../errors.js'
import { quoteString } from '../sql/quote.js'
import type { Statement } from '../sql/statement.js'
import type { EngineConnection, EngineResult } from './connections/engine-connection.js'
import type { Pipe } from './files/pipes.js'
import type { Spool } from './files/spool.js'

/** A statement and the output format when it names none. */
export interface Executable {
  statement: Statement
  format: string
}

/** Numbers the engine tells about a finished query. What it doesn't tell is absent. */
export interface QuerySummary {
  result_rows?: number
  result_bytes?: number
  written_rows?: number
  written_bytes?: number
}

/** Runs the statement and holds all of its result. */
export function runWhole(connection: EngineConnection, { statement, format }: Executable): Promise<EngineResult> {
  return connection.queryAsync(statement.sql, { format })
}

/**
 * Runs the statement with its result redirected into the pipe; the clause belongs before FORMAT. The result is never
 * held: it could be as large as its limit.
 */
export async function intoPipe(connection: EngineConnection, query: Executable, pipe: Pipe): Promise<EngineResult> {
  const { sql, format } = query.statement
  const at = format?.start ?? sql.length
  const tail = format ? sql.slice(at) : `FORMAT ${query.format}`
  const clause = `INTO OUTFILE ${quoteString(pipe.path)} TRUNCATE`
  try {
    return await connection.queryAsync(`${sql.slice(0, at)}\n${clause} ${tail}`)
  } catch (error) {
    const { code, type, message } = toClickHouseException(error)
    // `ORDER BY format ASC` ends like a FORMAT clause, and is none.
    if (type === 'SYNTAX_ERROR' && format) {
      const { format: _, ...statement } = query.statement
      return intoPipe(connection, { ...query, statement }, pipe)
    }
    // The message would show our clause beside what is wrong.
    throw new ClickHouseException(code, type, message.replaceAll(clause, ''), { cause: error })
  }
}

/** Runs an `INSERT … FORMAT` that reads its rows from a file. */
export async function fromSpool(
  connection: EngineConnection,
  { sql, sourceStart = sql.length }: Pick<Statement, 'sql' | 'sourceStart'>,
  spool: Spool,
  data: Buffer,
): Promise<QuerySummary> {
  const rows = await spool.put(data)
  const source = `FROM INFILE ${quoteString(rows.path)} COMPRESSION 'none'`
  try {
    const written = await connection.queryAsync(`${sql.slice(0, sourceStart)}${source} ${sql.slice(sourceStart)}`)
    return { written_rows: written.rowsRead, written_bytes: written.bytesRead }
  } catch (error) {
    const { code, type, message } = toClickHouseException(error)
    // Whose insert it was knows of no file.
    throw new ClickHouseException(code, type, message.replace(/\(in file\/uri [^)]*\): /, ''), { cause: error })
  } finally {
    await rows.remove()
  }
}
