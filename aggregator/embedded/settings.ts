import { ClickHouseException } from './errors.js'
import { DEFAULT_PROGRESS_INTERVAL_MS, MAX_PROGRESS_INTERVAL_MS } from './progress.js'
import type { SessionRequest } from './sessions.js'

/** A request's URL parameters, sorted by what they mean to this server. */
export interface RequestSettings {
  query?: string
  database?: string
  defaultFormat?: string
  user?: string
  password?: string
  session?: SessionRequest
  /** Compress the response when the client accepts it. */
  compress: boolean
  /** Tell how far the query has come, in headers, while it runs. */
  progress: boolean
  /** At least so many milliseconds between two of them. */
  progressIntervalMs: number
  /** Hold the whole response back until the query ended, so that an error gets its own status. */
  waitEndOfQuery: boolean
  /** Values of `{name:Type}` placeholders, as sent (`param_name`). */
  parameters: [name: string, value: string][]
  /** Engine settings, for this query only. */
  settings: [name: string, value: string][]
}

/** Limits of a query without a password. An analyst may ask for less, never for more. */
export interface AnalystLimits {
  /** Seconds. */
  max_execution_time: number
  /** Bytes. */
  max_memory_usage: number
  max_result_rows: number
  /** Bytes. */
  max_result_bytes: number
}

export const DEFAULT_ANALYST_LIMITS: AnalystLimits = {
  max_execution_time: 60,
  max_memory_usage: 4_000_000_000,
  max_result_rows: 100_000_000,
  max_result_bytes: 10_000_000_000,
}

/** Belong to ClickHouse's HTTP server, which isn't in the embedded engine; clients send them as a matter of course. */
const HTTP_ONLY = new Set(
  'buffer_size client_protocol_version query_id quota_key stacktrace http_response_buffer_size user_agent'.split(' '),
)

const SESSION = new Set(['session_id', 'session_timeout', 'session_check', 'close_session'])

const UNSUPPORTED: Record<string, string> = {
  role: 'roles',
  compress: 'ClickHouse-native compression: use enable_http_compression and gzip',
  decompress: 'ClickHouse-native compression: use Content-Encoding: gzip',
}

/**
 * Sorts URL parameters. The last value of a repeated one counts.
 *
 * @throws ClickHouseException NOT_IMPLEMENTED (48) for roles and native compression
 */
export function readRequestSettings(search: URLSearchParams): RequestSettings {
  const result: RequestSettings = {
    compress: false,
    progress: false,
    progressIntervalMs: DEFAULT_PROGRESS_INTERVAL_MS,
    waitEndOfQuery: false,
    parameters: [],
    settings: [],
  }
  const last = new Map(search)
  for (const [name, value] of last) {
    if (name === 'query') result.query = value
    else if (name === 'database') result.database = value
    else if (name === 'default_format') result.defaultFormat = value
    else if (name === 'user') result.user = value
    else if (name === 'password') result.password = value
    else if (name === 'enable_http_compression') result.compress = isOn(value)
    else if (name === 'send_progress_in_http_headers') result.progress = isOn(value)
    else if (name === 'http_headers_progress_interval_ms') result.progressIntervalMs = intervalOf(name, value)
    else if (name === 'wait_end_of_query') result.waitEndOfQuery = isOn(value)
    else if (name.startsWith('param_')) result.parameters.push([name.slice('param_'.length), value])
    else if (HTTP_ONLY.has(name) || SESSION.has(name)) continue
    else if (Object.hasOwn(UNSUPPORTED, name)) {
      if (value === '' || value === '0') continue
      throw new ClickHouseException(48, 'NOT_IMPLEMENTED', `${name}: the embedded server has no ${UNSUPPORTED[name]}`)
    } else result.settings.push([checkedName(name), value])
  }
  for (const [name] of result.parameters) checkedName(name)
  const session = sessionOf(last)
  if (session) result.session = session
  return result
}

function sessionOf(parameters: ReadonlyMap<string, string>): SessionRequest | undefined {
  // Clients send an empty one for none.
  const id = parameters.get('session_id')
  if (!id) return undefined
  const timeout = parameters.get('session_timeout')
  return {
    id,
    ...(timeout !== undefined && { timeout }),
    check: isOn(parameters.get('session_check') ?? ''),
    close: isOn(parameters.get('close_session') ?? ''),
  }
}

/** What an analyst may set: how a result looks, and doing less. Neither paths nor limits nor anything that writes. */
const ANALYST_MAY_SET = new RegExp(
  `^(?:output_format_(?:json|csv|tsv|pretty|parquet|arrow|orc|xml|sql_insert|native|binary|values)_\\w+
  |output_format_(?:decimal_trailing_zeros|write_statistics|enable_streaming|parallel_formatting|markdown_escape_special_characters)
  |format_(?:csv_delimiter|csv_null_representation|tsv_null_representation|binary_max_string_size)
  |bool_true_representation|bool_false_representation|date_time_output_format|session_timezone
  |extremes|limit|offset|final|join_use_nulls|max_threads|max_block_size|max_rows_to_read|max_bytes_to_read
  |read_overflow_mode|result_overflow_mode|group_by_use_nulls|aggregate_functions_null_for_empty|transform_null_in
  |any_join_distinct_right_table_keys|prefer_column_name_to_alias|asterisk_include_\\w+_columns)$`.replace(/\s+/g, ''),
)

/** Sent by clients with every query. They concern ClickHouse's HTTP layer or a mode this server imposes anyway. */
const ANALYST_IGNORED =
  /^(?:cancel_http_readonly_queries_on_client_close|send_progress_in_http_headers|http_\w+|add_http_cors_header|log_comment|log_queries|connect_timeout|receive_timeout|send_timeout|allow_experimental_\w+|enable_analyzer|allow_ddl|date_time_input_format|wait_for_async_insert|async_insert|insert_deduplicate)$/

/**
 * The settings of an analyst's query: the allowed ones, with the limits applied.
 *
 * @throws ClickHouseException READONLY (164) for a setting that isn't on the safe list
 */
export function analystSettings(
  asked: ReadonlyArray<readonly [name: string, value: string]>,
  limits: AnalystLimits,
): [name: string, value: string][] {
  const capped: Record<string, number> = { ...limits }
  const result: [string, string][] = []
  for (const [name, value] of asked) {
    const limit = Object.hasOwn(capped, name) ? capped[name] : undefined
    if (limit !== undefined) {
      const wanted = Number(value)
      // 0 means "no limit" to ClickHouse.
      if (wanted > 0) capped[name] = Math.min(limit, wanted)
    } else if (name === 'readonly' && (value === '1' || value === '2')) {
    } else if (ANALYST_MAY_SET.test(name)) result.push([name, value])
    else if (!ANALYST_IGNORED.test(name)) {
      throw new ClickHouseException(164, 'READONLY', `Cannot modify '${name}' setting without a password`)
    }
  }
  for (const [name, value] of Object.entries(capped)) result.push([name, String(value)])
  return result
}

/** A ClickHouse string literal. */
export function quoteString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** A ClickHouse identifier in backticks. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function checkedName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name
  throw new ClickHouseException(115, 'UNKNOWN_SETTING', `Unknown setting ${JSON.stringify(name)}`)
}

function intervalOf(name: string, value: string): number {
  const ms = Number(value)
  if (!/^\d+$/.test(value)) {
    throw new ClickHouseException(
      72,
      'CANNOT_PARSE_NUMBER',
      `Cannot parse ${name}: send a whole number of milliseconds`,
    )
  }
  return Math.min(Math.max(ms, DEFAULT_PROGRESS_INTERVAL_MS), MAX_PROGRESS_INTERVAL_MS)
}

function isOn(value: string): boolean {
  return value === '1' || value.toLowerCase() === 'true'
}
