import { ReplayError } from '../errors.js'

/** One line of a table: its fields by column, and where it stands, for messages. */
export interface Row {
  fields: Record<string, string>
  /** Line in the file, from 1; the header is line 1. */
  line: number
}

/** Returns the lines of a text that comes in pieces, without their ends (LF or CRLF) and without a byte order mark. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

/**
 * Reads a table of plain fields with commas between and the names of the columns in the first line, as the Open
 * Bandit files are. Throws a ReplayError with the line's number when a column of `needed` is missing, a line has too
 * few or too many fields (a file that was cut short), or a field is quoted, which these files never do.
 */
export async function* readTable(lines: AsyncIterable<string>, needed: string[], file: string): AsyncGenerator<Row> {
  let columns: string[] | undefined
  let line = 0
  for await (const text of lines) {
    line++
    if (text === '') continue
    if (text.includes('"')) throw new ReplayError(`${file}:${line} has a quoted field: only plain fields are read`)
    const fields = text.split(',')
    if (!columns) {
      columns = fields
      const missing = needed.filter(name => !fields.includes(name))
      if (missing.length > 0)
        throw new ReplayError(`${file} has no column ${missing.join(', ')}: is it the right file?`)
      continue
    }
    if (fields.length !== columns.length)
      throw new ReplayError(
        `${file}:${line} has ${fields.length} fields, the header ${columns.length}: is it complete?`,
      )
    yield { line, fields: Object.fromEntries(columns.map((name, index) => [name, fields[index]!])) }
  }
  if (!columns) throw new ReplayError(`${file} is empty`)
}
