import type { IncomingMessage } from 'node:http'
import type { Account } from '../../access/accounts.js'
import type { ClientAddress } from '../../access/client-address.js'
import type { Authenticate } from '../../access/credentials.js'
import { analystSettings, boundedSetting } from '../../access/settings/analyst-settings.js'
import { FAR_REACHING } from '../../engine/connections/connections.js'
import { EXTERNAL_TABLES_MEMORY, type ExternalTable } from '../../engine/connections/external-tables.js'
import type { EngineQuery } from '../../engine/engine.js'
import { ClickHouseException } from '../../errors.js'
import type { Guard, GuardUser } from '../../guard/guard.js'
import { checkSettings } from '../../guard/settings/settings-clauses.js'
import { withSettableSettings } from '../../guard/settings/settings-table.js'
import { EVERY_READER, mayReadLog } from '../../query-log/table.js'
import { type SessionChange, sessionChangeOf } from '../../sql/session-change.js'
import { splitQuery } from '../../sql/split-query.js'
import { placeholdersOf, readStatement, type Statement } from '../../sql/statement.js'
import type { IncomingBody } from '../clients/incoming-bodies.js'
import { readForm } from './form.js'
import { readBody } from './read-body.js'
import type { Session, Sessions } from './sessions.js'
import { type RequestSettings, readRequestSettings } from './settings.js'

/** Largest body of an analyst, with parameters, and of a builder, with rows; decompressed, in bytes. */
const MAX_ANALYST_BODY = 1024 * 1024
/** The same where it has external tables. */
const MAX_ANALYST_FORM = 8 * 1024 * 1024
const MAX_BUILDER_BODY = 64 * 1024 * 1024

export interface RequestOptions {
  authenticate: Authenticate
  client: ClientAddress
  /** Largest body of the trusted user, decompressed, in bytes; an insert has to fit, because one block is atomic. */
  maxBody: number
  sessions: Sessions
  queryId: string
  /** Receives what is known of the request so far: all there is to tell when it is rejected. */
  onRead: (facts: { account: Account; sql?: string }) => void
  /** Begins to receive the body, once it is known whose it is. */
  receive: (account: Account) => IncomingBody
  guard: Guard
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
  /** The change of the session by the statement, a SET or USE, if the engine accepts it. */
  change?: SessionChange
}

/**
 * Turns an HTTP request into a query: authenticates, reads the body, finds the statement, checks what the user may do.
 *
 * @returns undefined when there is no query at all (`GET /`)
 * @throws ClickHouseException for everything that is rejected
 */
export async function readRequest(
  request: IncomingMessage,
  options: RequestOptions,
): Promise<ReadyRequest | undefined> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  let settings = readRequestSettings(url.searchParams)
  const account = await options.authenticate(request.headers, settings, options.client)
  options.onRead({ account })
  const contentType = request.headers['content-type'] ?? ''
  const isForm = contentType.startsWith('multipart/form-data')
  const limit = bodyLimitOf(account, isForm, options.maxBody)
  let body = await readBody(request, { limit, blocks: settings.decompressBlocks }, options.receive(account))
  let tables: ExternalTable[] = []
  if (isForm) {
    const form = await readForm(url.searchParams, body, contentType, options.guard, MAX_ANALYST_BODY)
    settings = readRequestSettings(form.search)
    tables = form.tables
    body = Buffer.alloc(0)
  }
  if (request.method === 'GET' && settings.query === undefined && body.length === 0) return undefined
  const { sql, data } = splitQuery(settings.query, body)
  options.onRead({ account, sql })
  const session = settings.session && options.sessions.enter(account.name, settings.session)
  try {
    return {
      account,
      settings,
      ...(await readyQuery(request, { sql, data, tables, account, settings, session, options })),
    }
  } catch (error) {
    session?.leave(false)
    throw error
  }
}

interface ReadQuery {
  sql: string
  data: Buffer | undefined
  tables: ExternalTable[]
  account: Account
  settings: RequestSettings
  session: Session | undefined
  options: RequestOptions
}

/** Checks the statement and gathers what belongs to it. */
async function readyQuery(
  request: IncomingMessage,
  { sql, data, tables, account, settings, session, options }: ReadQuery,
): Promise<Omit<ReadyRequest, 'account' | 'settings'>> {
  const named = settings.database ?? request.headers['x-clickhouse-database']?.toString()
  const database = (named || session?.database) ?? 'default'
  // A GET changes nothing, whatever user sends it: it may do what an analyst may.
  const mayWrite = account.role !== 'analyst' && request.method === 'POST'
  const user: GuardUser = mayWrite ? account : { role: 'analyst', databases: [], limits: account.limits }
  const checked = await options.guard.check(
    { sql, database, parameters: settings.parameters, inSession: session !== undefined },
    user,
  )
  const statement = readStatement(withSettableSettings(checked.sql, user.role))
  checkMethod(request, statement)
  const rows = data && /^values$/i.test(statement.format?.name ?? '') ? data.toString('utf8') : ''
  const inRows = options.guard.checkRows(rows, user)
  const change = session && sessionChangeOf(statement)
  const requested = [...inSession(settings.settings, session, change), ...withinLimits(checked.settings, account)]
  checkSettings(requested, user.role)
  // An analyst's queries leave nothing on a connection, so any of them will do.
  const reader = mayReadLog(checked.sql, database) ? readerOf(account) : undefined
  const ownConnection = session && account.role !== 'analyst' && tables.length === 0 && reader === undefined
  if (ownConnection && statement.kind === 'other') session.hold()
  const query: EngineQuery = {
    id: options.queryId,
    // The engine is asked whether it takes the change, by a query under it.
    statement: change ? readStatement('EXISTS TABLE system.one') : statement,
    format: formatOf(request, settings),
    database: change?.database ?? database,
    settings: account.role === 'writer' ? requested : analystSettings(requested, account.limits, account.role),
    parameters: usedParameters([...placeholdersOf(statement), ...inRows], settings),
    // The connection of a session can't be unlocked for its next query.
    readOnly: !mayWrite && !ownConnection,
    ...(ownConnection && { session: session.key }),
    ...(tables.length > 0 && { tables }),
    ...(reader !== undefined && { reader }),
  }
  if (account.role !== 'writer') query.admission = { account, memory: memoryOf(query) }
  return { query, ...(data && { data }), ...(session && { session }), ...(change && { change }) }
}

/** Returns the user whose rows of the query log an account may see. */
function readerOf({ name, role }: Account): string {
  return role === 'writer' ? EVERY_READER : name
}

function formatOf(request: IncomingMessage, settings: RequestSettings): string {
  const header = request.headers['x-clickhouse-format']
  return checkedFormat((typeof header === 'string' ? header : settings.defaultFormat) ?? 'TabSeparated')
}

/**
 * Returns the settings of SQL within limits. Those of the SQL itself are taken as they are or not at all: unlike those
 * of a client's configuration, they were written for this query. Throws READONLY (164).
 */
function withinLimits(settings: [name: string, value: string][], { limits, role }: Account): [string, string][] {
  if (role === 'writer') return settings
  for (const [name, value] of settings) {
    const bounded = boundedSetting(name, value, limits, role)
    if (bounded !== undefined && /^[\d.]+$/.test(bounded) && Number(bounded) !== Number(value))
      throw new ClickHouseException(
        164,
        'READONLY',
        `${name} = ${value} is rejected: ${bounded} is the nearest allowed value`,
      )
  }
  return settings
}

function bodyLimitOf({ role }: Account, isForm: boolean, maxBody: number): number {
  if (role === 'writer') return maxBody
  if (role === 'builder') return Math.min(MAX_BUILDER_BODY, maxBody)
  return Math.min(isForm ? MAX_ANALYST_FORM : MAX_ANALYST_BODY, maxBody)
}

/** Returns the parameters that the statement names. Throws UNKNOWN_QUERY_PARAMETER (456) where one isn't sent. */
function usedParameters(names: string[], { parameters }: RequestSettings): RequestSettings['parameters'] {
  const named = new Set(names)
  const used = parameters.filter(([name]) => named.has(name))
  const usedNames = new Set(used.map(([name]) => name))
  for (const name of named)
    if (!usedNames.has(name))
      throw new ClickHouseException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`)
  return used
}

/** Rejects writes by GET, as ClickHouse does. It also keeps a link in a web page from changing anything. */
function checkMethod({ method }: IncomingMessage, { kind, verb }: Statement): void {
  if (method === 'POST' || kind === 'rows' || kind === 'describe') return
  throw new ClickHouseException(164, 'READONLY', `Method ${method} implies readonly: use POST for ${verb}`)
}

/** Returns the resources that the query may take, by its own settings, which have been bounded. */
function memoryOf({ settings, tables }: EngineQuery): number {
  return Number(settings.find(([name]) => name === 'max_memory_usage')![1]) + (tables ? EXTERNAL_TABLES_MEMORY : 0)
}

/** Returns the settings of a query: its own, then what its SET changes, then what the session has. */
function inSession(
  ofQuery: RequestSettings['settings'],
  session: Session | undefined,
  change: SessionChange | undefined,
): [name: string, value: string][] {
  if (!session) return ofQuery
  const all = new Map(session.settings)
  for (const [name, value] of change?.settings ?? []) {
    if (value === undefined) all.delete(name)
    else all.set(name, value)
  }
  for (const [name, value] of ofQuery) all.set(name, value)
  const far = [...all.keys()].find(name => FAR_REACHING.has(name))
  if (far === undefined) return [...all]
  throw new ClickHouseException(
    48,
    'NOT_IMPLEMENTED',
    `${far} changes other settings, which a session of the embedded server can't undo: set those themselves`,
  )
}

function checkedFormat(format: string): string {
  if (/^\w+$/.test(format)) return format
  throw new ClickHouseException(73, 'UNKNOWN_FORMAT', `Unknown format ${JSON.stringify(format)}`)
}
