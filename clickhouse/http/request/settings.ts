import { ClickHouseException } from '../../errors.js'
import { DEFAULT_PROGRESS_INTERVAL_MS, MAX_PROGRESS_INTERVAL_MS } from '../reply/progress.js'
import type { SessionRequest } from './sessions.js'

/** Settings and parameters of one request, and the bytes of all settings: what each costs is looked at by hand. */
const MAX_SETTINGS = 200
const MAX_PARAMETERS = 1_000
const MAX_SETTING_BYTES = 64 * 1024
/** Bytes of one parameter: escaped, it can be twice as long, and the engine reads statements of 256 KB. */
const MAX_PARAMETER_BYTES = 128 * 1024

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
  /** Send the result as ClickHouse's own compressed blocks. */
  compressBlocks: boolean
  /** The body is made of such blocks. */
  decompressBlocks: boolean
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

/** Belong to ClickHouse's HTTP server, which isn't in the embedded engine; clients send them as a matter of course. */
const HTTP_ONLY = new Set(
  'buffer_size client_protocol_version query_id quota_key stacktrace http_response_buffer_size user_agent'.split(' '),
)

const SESSION = new Set(['session_id', 'session_timeout', 'session_check', 'close_session'])

const UNSUPPORTED: Record<string, string> = { role: 'roles' }

/**
 * Sorts URL parameters. The last value of a repeated one counts.
 *
 * @throws ClickHouseException NOT_IMPLEMENTED (48) for roles, QUERY_IS_TOO_LARGE (223) for more
 * settings or parameters than a request has
 */
export function readRequestSettings(search: URLSearchParams): RequestSettings {
  const result: RequestSettings = {
    compress: false,
    compressBlocks: false,
    decompressBlocks: false,
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
    else if (name === 'compress') result.compressBlocks = isOn(value)
    else if (name === 'decompress') result.decompressBlocks = isOn(value)
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
  for (const [name, value] of result.parameters) checkParameter(name, value)
  if (result.parameters.length > MAX_PARAMETERS) throw tooMany(`more than ${MAX_PARAMETERS} parameters`)
  if (result.settings.length > MAX_SETTINGS) throw tooMany(`more than ${MAX_SETTINGS} settings`)
  if (result.settings.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > MAX_SETTING_BYTES)
    throw tooMany(`more than ${MAX_SETTING_BYTES} bytes of settings`)
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

function checkedName(name: string): string {
  if (/^[A-Za-z_]\w{0,127}$/.test(name)) return name
  throw new ClickHouseException(115, 'UNKNOWN_SETTING', `Unknown setting ${JSON.stringify(name.slice(0, 128))}`)
}

function checkParameter(name: string, value: string): void {
  checkedName(name)
  const bytes = Buffer.byteLength(value)
  if (bytes <= MAX_PARAMETER_BYTES) return
  throw new ClickHouseException(
    223,
    'QUERY_IS_TOO_LARGE',
    `The parameter ${name} has ${bytes} bytes: ${MAX_PARAMETER_BYTES} are the most. Send a long list as an external table`,
  )
}

function tooMany(what: string): ClickHouseException {
  return new ClickHouseException(
    223,
    'QUERY_IS_TOO_LARGE',
    `The request has ${what}: put a list into one Array parameter`,
  )
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
