import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Account } from './accounts.js'
import type { ClientAddress } from './client-address.js'
import { FAR_REACHING } from './connections.js'
import type { Authenticate } from './credentials.js'
import type { EngineQuery } from './engine.js'
import { ClickHouseException } from './errors.js'
import { checkPermitted } from './permissions.js'
import { type SessionChange, sessionChangeOf } from './session-change.js'
import type { Session, Sessions } from './sessions.js'
import { analystSettings, type RequestSettings, readRequestSettings } from './settings.js'
import { placeholdersOf, readStatement, type Statement } from './statement.js'

/** Largest body of an analyst, with parameters, and of a builder, with rows; decompressed, in bytes. */
const MAX_ANALYST_BODY = 1024 * 1024
const MAX_BUILDER_BODY = 64 * 1024 * 1024

/** Largest statement of those, in bytes: the engine's own bound (`max_query_size`). */
const MAX_STATEMENT_BYTES = 256 * 1024

/** Form fields of a multipart body. */
const MAX_FORM_FIELDS = 2_000

/** Part of a body in which an `INSERT … FORMAT` must show up to be read without decoding the data behind it. */
const MAX_INSERT_HEAD = 64 * 1024

const DECODERS = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['deflate', () => createInflate()],
])

export interface RequestOptions {
  authenticate: Authenticate
  client: ClientAddress
  /** Largest body of the trusted user, decompressed, in bytes; an insert has to fit, because one block is atomic. */
  maxBody: number
  sessions: Sessions
  queryId: string
  /** Receives what is known of the request so far: all there is to tell when it is refused. */
  onRead: (known: { account: Account; sql?: string }) => void
}

/** A request that may run. */
export interface ReadyRequest {
  account: Account
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
  const account = await options.authenticate(request.headers, settings, options.client)
  options.onRead({ account })
  let body = await readBody(request, bodyLimitOf(account, options.maxBody))
  const contentType = request.headers['content-type'] ?? ''
  if (contentType.startsWith('multipart/form-data')) {
    settings = readRequestSettings(await withFormFields(url.searchParams, body, contentType))
    body = Buffer.alloc(0)
  }
  if (request.method === 'GET' && settings.query === undefined && body.length === 0) return undefined
  const { statement, data } = readQuery(
    settings.query,
    body,
    account.role === 'writer' ? Infinity : MAX_STATEMENT_BYTES,
  )
  options.onRead({ account, sql: statement.sql })
  const parameters = usedParameters(statement, settings)
  const change = settings.session && sessionChangeOf(statement)
  checkMethod(request, statement)
  // A GET changes nothing, whoever sends it: it may do what an analyst may.
  const mayWrite = account.role !== 'analyst' && request.method === 'POST'
  if (!change) checkPermitted(statement, parameters, mayWrite ? account : { role: 'analyst', databases: [] })
  const header = request.headers['x-clickhouse-format']
  const format = checkedFormat((typeof header === 'string' ? header : settings.defaultFormat) ?? 'TabSeparated')
  const database = settings.database ?? request.headers['x-clickhouse-database']?.toString()
  const session = settings.session && options.sessions.enter(account.name, settings.session)
  try {
    const asked = inSession(settings.settings, session, change)
    // What an analyst can do leaves nothing on a connection, so that any will do.
    const ownConnection = session && account.role !== 'analyst'
    if (ownConnection && statement.kind === 'other') session.hold()
    const query: EngineQuery = {
      id: options.queryId,
      // The engine is asked whether it takes the change, by a query under it.
      statement: change ? readStatement('EXISTS TABLE system.one') : statement,
      format,
      database: change?.database ?? (database || session?.database || 'default'),
      settings: account.role === 'writer' ? asked : analystSettings(asked, account.limits, account.role),
      parameters,
      // The connection of a session can't be unlocked for its next query.
      readOnly: !mayWrite && !ownConnection,
      ...(ownConnection && { session: session.key }),
    }
    if (account.role !== 'writer') query.admission = { account, memory: memoryOf(query) }
    return { account, query, settings, ...(data && { data }), ...(session && { session }), ...(change && { change }) }
  } catch (error) {
    session?.leave(false)
    throw error
  }
}

function bodyLimitOf({ role }: Account, maxBody: number): number {
  if (role === 'writer') return maxBody
  return role === 'builder' ? Math.min(MAX_BUILDER_BODY, maxBody) : MAX_ANALYST_BODY
}

/** The parameters that the statement names. Throws UNKNOWN_QUERY_PARAMETER (456) where one isn't sent. */
function usedParameters(statement: Statement, { parameters }: RequestSettings): RequestSettings['parameters'] {
  const named = placeholdersOf(statement)
  const used = parameters.filter(([name]) => named.has(name))
  const given = new Set(used.map(([name]) => name))
  for (const name of named)
    if (!given.has(name))
      throw new ClickHouseException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution '${name}' is not set`)
  return used
}

/** As in ClickHouse. It also keeps a link in a web page from changing anything. */
function checkMethod({ method }: IncomingMessage, { kind, verb }: Statement): void {
  if (method === 'POST' || kind === 'rows' || kind === 'describe') return
  throw new ClickHouseException(164, 'READONLY', `Method ${method} implies readonly: use POST for ${verb}`)
}

/** What the query may take, by its own settings, which have been bounded. */
function memoryOf({ settings }: EngineQuery): number {
  return Number(settings.find(([name]) => name === 'max_memory_usage')![1])
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

/** SQL can come in `?query=`, in the body, or begin in the one and go on in the other. */
function readQuery(text: string | undefined, body: Buffer, limit: number): { statement: Statement; data?: Buffer } {
  if (text !== undefined && body.length > 0) {
    const statement = isInsertWithFormat(text)
    if (statement) return { statement, data: Buffer.concat([Buffer.from(text.slice(statement.dataStart)), body]) }
    return finish(Buffer.concat([Buffer.from(`${text}\n`), body]), limit)
  }
  return finish(text === undefined ? body : Buffer.from(text), limit)
}

function finish(whole: Buffer, limit: number): { statement: Statement; data?: Buffer } {
  // Latin-1 keeps offsets equal to bytes, so that megabytes of rows behind the statement are never decoded.
  const head = whole.subarray(0, MAX_INSERT_HEAD).toString('latin1')
  const start = isInsertWithFormat(head)?.dataStart
  if (start === undefined) {
    if (whole.length <= limit) return { statement: readStatement(whole.toString('utf8')) }
    throw new ClickHouseException(
      223,
      'QUERY_IS_TOO_LARGE',
      `The statement has more than ${limit} bytes: send long lists as parameters, and rows with INSERT … FORMAT`,
    )
  }
  return { statement: readStatement(whole.subarray(0, start).toString('utf8')), data: whole.subarray(start) }
}

function isInsertWithFormat(text: string): Statement | undefined {
  if (!/^\s*(?:--|\/[/*]|#|insert)/i.test(text)) return undefined
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
  const decoder = DECODERS.get(encoding)?.()
  if (!decoder && encoding !== 'identity' && encoding !== '') {
    throw new ClickHouseException(
      48,
      'NOT_IMPLEMENTED',
      `Content-Encoding ${JSON.stringify(encoding.slice(0, 64))} is not supported: use gzip, br or deflate`,
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
  checkFields(body)
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

/** Before anything is made of them: each field has this header. */
function checkFields(body: Buffer): void {
  let fields = 0
  const header = 'form-data'
  for (let at = body.indexOf(header); at >= 0; at = body.indexOf(header, at + header.length)) fields++
  if (fields > MAX_FORM_FIELDS)
    throw new ClickHouseException(223, 'QUERY_IS_TOO_LARGE', `The form has more than ${MAX_FORM_FIELDS} fields`)
}

function checkedFormat(format: string): string {
  if (/^\w+$/.test(format)) return format
  throw new ClickHouseException(73, 'UNKNOWN_FORMAT', `Unknown format ${JSON.stringify(format)}`)
}
