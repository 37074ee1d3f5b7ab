import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { FAR_REACHING } from './connections.js'
import { authenticate, type Role } from './credentials.js'
import type { EngineQuery } from './engine.js'
import { ClickHouseException } from './errors.js'
import type { Guard } from './guard/guard.js'
import { checkSettingNames } from './guard/settings-clauses.js'
import { type SessionChange, sessionChangeOf } from './session-change.js'
import type { Session, Sessions } from './sessions.js'
import { type AnalystLimits, analystSettings, type RequestSettings, readRequestSettings } from './settings.js'
import { placeholdersOf, readStatement, type Statement } from './statement.js'

/** Largest query text of an analyst, decompressed, in bytes. */
const MAX_ANALYST_BODY = 1024 * 1024

/** Part of a body in which an `INSERT … FORMAT` must show up to be read without decoding the data behind it. */
const MAX_INSERT_HEAD = 64 * 1024

const DECODERS: Record<string, () => Transform> = {
  gzip: () => createGunzip(),
  br: () => createBrotliDecompress(),
  deflate: () => createInflate(),
}

export interface RequestOptions {
  password: string
  limits: AnalystLimits
  /** Largest body of the trusted user, decompressed, in bytes; an insert has to fit, because one block is atomic. */
  maxBody: number
  sessions: Sessions
  queryId: string
  guard: Guard
}

/** A request that may run. */
export interface ReadyRequest {
  role: Role
  query: EngineQuery
  settings: RequestSettings
  /** Rows of an `INSERT … FORMAT`. */
  data?: Buffer
  /** To be left when the query has ended. */
  session?: Session
  /** What the statement, a SET or USE, changes in the session, if the engine takes it. */
  change?: SessionChange
}

/**
 * Turns an HTTP request into a query: authenticates, reads the body, finds the statement, checks what the user may do.
 *
 * @returns undefined when there is no query at all (`GET /`)
 * @throws ClickHouseException for everything that is refused
 */
export async function readRequest(
  request: IncomingMessage,
  options: RequestOptions,
): Promise<ReadyRequest | undefined> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  let settings = readRequestSettings(url.searchParams)
  const role = authenticate(request.headers, settings, options.password)
  let body = await readBody(request, role === 'writer' ? options.maxBody : MAX_ANALYST_BODY)
  const contentType = request.headers['content-type'] ?? ''
  if (contentType.startsWith('multipart/form-data')) {
    settings = readRequestSettings(await withFormFields(url.searchParams, body, contentType))
    body = Buffer.alloc(0)
  }
  if (request.method === 'GET' && settings.query === undefined && body.length === 0) return undefined
  const { sql, data } = readQuery(settings.query, body)
  const session = settings.session && options.sessions.enter(role, settings.session)
  try {
    const header = request.headers['x-clickhouse-database']?.toString()
    const database = (settings.database ?? header) || session?.database || 'default'
    const user = { role, databases: [] }
    const { parameters } = settings
    const checked = await options.guard.check({ sql, database, parameters, inSession: session !== undefined }, user)
    const statement = readStatement(checked.sql)
    checkPlaceholders(statement, parameters)
    if (data && /^values$/i.test(statement.format?.name ?? '')) options.guard.checkRows(data.toString('utf8'), user)
    const change = session && sessionChangeOf(statement)
    refuseWriteByLink(request, statement, change)
    const asked = [...inSession(settings.settings, session, change), ...withinLimits(checked.settings, options.limits)]
    checkSettingNames(asked.map(([name]) => name))
    const query: EngineQuery = {
      id: options.queryId,
      // The engine is asked whether it takes the change, by a query under it.
      statement: change ? readStatement('EXISTS TABLE system.one') : statement,
      format: formatOf(request, settings),
      database: change?.database ?? database,
      settings: role === 'analyst' ? analystSettings(asked, options.limits) : asked,
      parameters,
      readOnly: role === 'analyst',
      // What an analyst can do leaves nothing on a connection, so that any will do.
      ...(session && role === 'writer' && { session: session.key }),
    }
    return { role, query, settings, ...(data && { data }), ...(session && { session }), ...(change && { change }) }
  } catch (error) {
    session?.leave(false)
    throw error
  }
}

function checkPlaceholders(statement: Statement, parameters: RequestSettings['parameters']): void {
  for (const name of placeholdersOf(statement)) {
    if (!parameters.some(([given]) => given === name)) {
      throw new ClickHouseException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution '${name}' is not set`)
    }
  }
}

/** As in ClickHouse. It also keeps a link in a web page from writing. */
function refuseWriteByLink(request: IncomingMessage, { kind, verb }: Statement, change?: SessionChange): void {
  if (kind === 'rows' || kind === 'describe' || change || request.method === 'POST') return
  throw new ClickHouseException(164, 'READONLY', `Method ${request.method} implies readonly: use POST for ${verb}`)
}

function formatOf(request: IncomingMessage, settings: RequestSettings): string {
  const header = request.headers['x-clickhouse-format']
  return checkedFormat((typeof header === 'string' ? header : settings.defaultFormat) ?? 'TabSeparated')
}

/**
 * Limits that stand in the SQL itself are taken as they are or not at all: unlike those of a client's configuration
 * somebody wrote them for this query.
 */
function withinLimits(settings: [name: string, value: string][], limits: AnalystLimits): [string, string][] {
  for (const [name, value] of settings) {
    const limit = Object.hasOwn(limits, name) ? limits[name as keyof AnalystLimits] : undefined
    if (limit !== undefined && !(Number(value) > 0 && Number(value) <= limit))
      throw new ClickHouseException(164, 'READONLY', `${name} = ${value} is refused: it may be up to ${limit}`)
  }
  return settings
}

/** The settings of a query: its own, then what its SET changes, then what the session has. */
function inSession(
  own: RequestSettings['settings'],
  session: Session | undefined,
  change: SessionChange | undefined,
): [name: string, value: string][] {
  if (!session) return own
  const all = new Map(session.settings)
  for (const [name, value] of change?.settings ?? []) {
    if (value === undefined) all.delete(name)
    else all.set(name, value)
  }
  for (const [name, value] of own) all.set(name, value)
  const far = [...all.keys()].find(name => FAR_REACHING.has(name))
  if (far === undefined) return [...all]
  throw new ClickHouseException(
    48,
    'NOT_IMPLEMENTED',
    `${far} changes other settings, which a session of the embedded server can't undo: set those themselves`,
  )
}

/** A statement's text, and the rows of an INSERT behind it. */
interface SplitQuery {
  sql: string
  data?: Buffer
}

/** SQL can come in `?query=`, in the body, or begin in the one and go on in the other. */
function readQuery(text: string | undefined, body: Buffer): SplitQuery {
  if (text === undefined) return split(body)
  if (body.length === 0) return split(Buffer.from(text))
  const start = isInsertWithFormat(text)?.dataStart
  if (start === undefined) return split(Buffer.concat([Buffer.from(`${text}\n`), body]))
  return { sql: text.slice(0, start), data: Buffer.concat([Buffer.from(text.slice(start)), body]) }
}

function split(whole: Buffer): SplitQuery {
  // Latin-1 keeps offsets equal to bytes, so that megabytes of rows behind the statement are never decoded.
  const start = isInsertWithFormat(whole.subarray(0, MAX_INSERT_HEAD).toString('latin1'))?.dataStart
  if (start === undefined) return { sql: whole.toString('utf8') }
  return { sql: whole.subarray(0, start).toString('utf8'), data: whole.subarray(start) }
}

function isInsertWithFormat(text: string): Statement | undefined {
  if (!/^[^\w'"`(]*(?:--|\/[/*]|#|insert)/i.test(text)) return undefined
  try {
    const statement = readStatement(text)
    return statement.dataStart === undefined ? undefined : statement
  } catch {
    // A head that was cut in the middle, or not SQL: reading the whole text tells what is wrong.
    return undefined
  }
}

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const decoder = DECODERS[encoding]?.()
  if (!decoder && encoding !== 'identity' && encoding !== '') {
    throw new ClickHouseException(
      48,
      'NOT_IMPLEMENTED',
      `Content-Encoding ${encoding} is not supported: use gzip, br or deflate`,
    )
  }
  let source: Readable = request
  if (decoder) {
    request.once('error', error => decoder.destroy(error))
    source = request.pipe(decoder)
  }
  const chunks: Buffer[] = []
  let length = 0
  try {
    // A refused body must not take the connection with it before the answer went out.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) {
        throw new ClickHouseException(
          307,
          'TOO_MANY_BYTES',
          `Request body is larger than ${limit} bytes: send the rows in smaller inserts`,
        )
      }
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ClickHouseException || !decoder) throw error
    throw new ClickHouseException(117, 'INCORRECT_DATA', `Request body is not valid ${encoding}`, { cause: error })
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)
}

/** `@clickhouse/client` sends long parameters as form fields. */
async function withFormFields(search: URLSearchParams, body: Buffer, contentType: string): Promise<URLSearchParams> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  const all = new URLSearchParams(search)
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw new ClickHouseException(48, 'NOT_IMPLEMENTED', 'External tables are not supported by the embedded server')
    }
    all.set(name, value)
  }
  return all
}

function checkedFormat(format: string): string {
  if (/^\w+$/.test(format)) return format
  throw new ClickHouseException(73, 'UNKNOWN_FORMAT', `Unknown format ${JSON.stringify(format)}`)
}
