/** Facts of an error's answer beyond its text. */
export interface AnswerOptions {
  /** HTTP status, where it isn't the one that belongs to the type. */
  status?: number
  headers?: Record<string, string>
}

/** An error in ClickHouse's terms: what a client parses out of the response. */
export class ClickHouseException extends Error {
  override readonly name = 'ClickHouseException'

  constructor(
    /** ClickHouse's numeric error code, e.g. 62. */
    readonly code: number,
    /** ClickHouse's name of that code, e.g. `SYNTAX_ERROR`. */
    readonly type: string,
    message: string,
    options?: ErrorOptions,
    readonly answer: AnswerOptions = {},
  ) {
    super(message, options)
  }
}

const PREFIX = /^Code: (\d+)\. DB::Exception: /
const VERSION = / \(version [^()]*(?:\([^()]*\))?\)\.?$/
const TYPE = /\(([A-Z0-9_]*[A-Z]{3}[A-Z0-9_]*)\)\.?$/

/**
 * Reads an engine's error text (`Code: 62. DB::Exception: … (SYNTAX_ERROR)`) into its parts. The engine wraps some
 * errors twice, so prefixes and suffixes are peeled until none is left. Text of another shape becomes code 1001
 * (STD_EXCEPTION), as ClickHouse itself reports foreign exceptions.
 */
export function toClickHouseException(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error
  let text = (error instanceof Error ? error.message : String(error)).trim()
  let code = 1001
  let type = 'STD_EXCEPTION'
  for (let match = PREFIX.exec(text); match; match = PREFIX.exec(text)) {
    code = Number(match[1])
    text = text.slice(match[0].length)
  }
  for (;;) {
    text = text.replace(VERSION, '')
    const match = TYPE.exec(text)
    if (!match) break
    type = match[1]!
    text = text.slice(0, match.index).trimEnd()
  }
  return new ClickHouseException(code, type, text, { cause: error })
}

/** Returns the response body of an error, in ClickHouse's textual form. */
export function formatException(error: ClickHouseException, version: string): string {
  const message = error.message.endsWith('.') ? error.message : `${error.message}.`
  return `Code: ${error.code}. DB::Exception: ${message} (${error.type}) (version ${version})\n`
}

const STATUS_OF_TYPE: ReadonlyArray<readonly [status: number, types: string]> = [
  [401, 'REQUIRED_PASSWORD'],
  [403, 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED'],
  [
    400,
    `BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING
     CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING
     CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_UUID CANNOT_PARSE_INPUT_ASSERTION_FAILED DUPLICATE_COLUMN
     ILLEGAL_COLUMN THERE_IS_NO_COLUMN UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE TOO_DEEP_AST TOO_BIG_AST
     UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE`,
  ],
  [
    404,
    `UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING
     UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE
     UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE`,
  ],
  [408, 'TIMEOUT_EXCEEDED'],
  [413, 'QUERY_IS_TOO_LARGE TOO_MANY_BYTES'],
  [501, 'NOT_IMPLEMENTED'],
  [503, 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK TOO_MANY_SIMULTANEOUS_QUERIES ABORTED'],
]

const STATUS = new Map(STATUS_OF_TYPE.flatMap(([status, types]) => types.split(/\s+/).map(type => [type, status])))

/**
 * Returns the HTTP status ClickHouse answers an error with; 500 for those it doesn't single out (READONLY among them).
 */
export function httpStatusOf(error: ClickHouseException): number {
  return error.answer.status ?? STATUS.get(error.type) ?? 500
}
