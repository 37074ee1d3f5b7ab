import { readStatement, type Statement } from './statement.js'

/** Part of a body in which an `INSERT … FORMAT` must show up to be read without decoding the data behind it. */
const MAX_INSERT_HEAD = 64 * 1024

/** A statement's text, and the rows of an INSERT behind it. */
export interface SplitQuery {
  sql: string
  data?: Buffer
}

/** Finds the statement: SQL can come in `?query=`, in the body, or begin in the one and go on in the other. */
export function splitQuery(text: string | undefined, body: Buffer): SplitQuery {
  if (text === undefined) return split(body)
  if (body.length === 0) return split(Buffer.from(text))
  const start = insertOf(text)?.dataStart
  if (start === undefined) return split(Buffer.concat([Buffer.from(`${text}\n`), body]))
  return { sql: text.slice(0, start), data: Buffer.concat([Buffer.from(text.slice(start)), body]) }
}

function split(whole: Buffer): SplitQuery {
  // Latin-1 keeps offsets equal to bytes, so that megabytes of rows behind the statement are never decoded.
  const start = insertOf(whole.subarray(0, MAX_INSERT_HEAD).toString('latin1'))?.dataStart
  if (start === undefined) return { sql: whole.toString('utf8') }
  return { sql: whole.subarray(0, start).toString('utf8'), data: whole.subarray(start) }
}

function insertOf(text: string): Statement | undefined {
  if (!/^[^\w'"`(]*(?:--|\/[/*]|#|insert)/i.test(text)) return undefined
  try {
    const statement = readStatement(text)
    return statement.dataStart === undefined ? undefined : statement
  } catch {
    // A head that was cut in the middle, or not SQL: reading the whole text tells what is wrong.
    return undefined
  }
}
