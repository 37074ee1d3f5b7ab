import type { Role } from '../access/roles.js'
import { type AnalystLimits, DEFAULT_ANALYST_LIMITS } from '../access/settings/limits.js'
import type { EngineConnection } from '../engine/connections/connections.js'
import { createCanonicalReader } from './canonical/canonical.js'
import { isKeyword, queryStart, type Token, tokenizeCanonical } from './canonical/canonical-tokens.js'
import { checkCalls } from './checks/calls.js'
import { checkKind } from './checks/kinds.js'
import { refuseSentStates } from './checks/sent-states.js'
import { checkTables } from './checks/tables.js'
import { checkValueRows } from './checks/value-rows.js'
import { checkEngines, checkTableSettings, checkWrites } from './checks/writes.js'
import { columnsFromStructure, columnsFromTypes } from './columns.js'
import { createNames, type EngineNames, type Names } from './names/names.js'
import { fillInNames } from './parameters.js'
import { denied } from './refusal.js'
import { withRefreshLimits } from './settings/refresh-limits.js'
import { checkSettings, type SettingsClause, settingsClausesOf, withoutClauses } from './settings/settings-clauses.js'

/** The sender of a statement. */
export interface GuardUser {
  role: Role
  /** Databases that are a builder's own. */
  databases: readonly string[]
  /** Limits of each refresh of a view that a builder makes. Default: those of an analyst's query. */
  limits?: AnalystLimits
}

/** A statement to check. */
export interface GuardedStatement {
  /** The text as it came, without the rows of an INSERT. */
  sql: string
  /** Database of names without one. */
  database: string
  /** Values of its `{name:Type}` placeholders. */
  parameters: Iterable<readonly [name: string, value: string]>
  /** Whether it belongs to a session, which keeps what SET and USE change by itself. */
  inSession?: boolean
}

/** A statement that may run. */
export interface CheckedStatement {
  /** The statement to run instead of the text that came: canonical, with names from parameters filled in. */
  sql: string
  /** Settings that were in its SETTINGS clauses, which are gone; the caller bounds them. */
  settings: [name: string, value: string][]
}

/** Decides what SQL reaches the engine. */
export interface Guard {
  /**
   * Checks one statement. The result is what is to run: nothing was checked in any other text.
   *
   * @throws ClickHouseException SYNTAX_ERROR (62), READONLY (164) or ACCESS_DENIED (497), with what to do instead
   */
  check(statement: GuardedStatement, user: GuardUser): Promise<CheckedStatement>
  /** Reads a statement, whether it may run or not, as `check` does. Throws SYNTAX_ERROR (62). */
  read(sql: string, role: Role): Promise<string>
  /** Checks the rows of an `INSERT … VALUES`; returns the names of parameters in them. Throws as `check`. */
  checkRows(rows: string, user: GuardUser): string[]
  /** Reads the columns of an external table, or their types alone, for a CREATE TABLE. Throws ACCESS_DENIED (497). */
  columnsOf(described: { structure: string } | { types: string }): string
}

/**
 * Creates the guard: the engine's own parser reads the statement, what it wrote down is checked against lists of what
 * is allowed, and that text is what runs.
 *
 * @param connect opens one more connection to the engine
 */
export async function createGuard(connect: () => EngineConnection): Promise<Guard> {
  // Analysts have a parser of their own, so that theirs don't hold up the loader's statements.
  const [forAnalysts, forWriters] = [connect(), connect()]
  const readers = {
    analyst: createCanonicalReader(forAnalysts),
    builder: createCanonicalReader(forWriters),
    writer: createCanonicalReader(forWriters),
  }
  const names = createNames(await installedNames(forAnalysts))
  return {
    async check(statement, user) {
      const { sql, subquery } = await readers[user.role](statement.sql)
      const checked = checkCanonical(sql, subquery, statement, user, names)
      if (user.role === 'builder') await refuseSentStates(checked.sql, statement.database, forWriters)
      return checked
    },
    read: async (sql, role) => (await readers[role](sql)).sql,
    checkRows: (rows, { role }) => checkValueRows(rows, names, role),
    columnsOf: described =>
      'structure' in described
        ? columnsFromStructure(described.structure, names)
        : columnsFromTypes(described.types, names),
  }
}

/** Checks canonical text. `subquery`: whether it also parses as one. */
export function checkCanonical(
  canonical: string,
  subquery: boolean,
  { database, parameters, inSession }: Omit<GuardedStatement, 'sql'>,
  { role, databases, limits = DEFAULT_ANALYST_LIMITS }: GuardUser,
  names: Names,
): CheckedStatement {
  const parsed = tokenizeCanonical(canonical)
  const sql = fillInNames(canonical, parsed, new Map(parameters))
  const tokens = sql === canonical ? parsed : tokenizeCanonical(sql)
  if (inSession && /^(?:SET|USE) /.test(sql)) return { sql, settings: [] }
  const reads = checkKind(tokens, role)
  const isQuery = reads && /^(?:SELECT|WITH|\()/.test(sql)
  if (isQuery && !subquery) throw denied('this must be one query, and it does not parse as a part of another one')
  checkCalls(tokens, names, role, reads)
  const clauses = settingsClausesOf(tokens)
  checkSettings(
    clauses.flatMap(({ settings }) => settings),
    role,
  )
  if (!reads) checkEngines(tokens, names, role)
  if (role === 'writer') return { sql, settings: [] }
  checkTables(tokens, names, database)
  if (!reads) checkWrites(tokens, databases, database)
  const ofTable = reads ? [] : tableSettingsOf(sql, tokens, clauses)
  checkTableSettings(ofTable.flatMap(({ settings }) => settings))
  const ofQuery = clauses.filter(clause => !ofTable.includes(clause))
  if (/^(?:CREATE (?:OR REPLACE )?(?:MATERIALIZED )?VIEW) /.test(sql) && ofQuery.length > 0)
    throw denied('a view takes no SETTINGS: send them with the query that reads it')
  const plain = withoutClauses(sql, tokens, ofQuery)
  return {
    sql: reads ? plain : withRefreshLimits(plain, plain === sql ? tokens : tokenizeCanonical(plain), limits),
    settings: oncePerName(ofQuery.flatMap(({ settings }) => settings)),
  }
}

/** Returns the clauses that belong to the table that is made or altered, not to a query. */
function tableSettingsOf(sql: string, tokens: readonly Token[], clauses: SettingsClause[]): SettingsClause[] {
  if (sql.startsWith('ALTER')) return clauses.filter(({ start }) => isKeyword(tokens[start], 'SETTING'))
  if (!sql.startsWith('CREATE')) return []
  const query = queryStart(tokens)
  return clauses.filter(({ start }) => query < 0 || start < query)
}

/** A setting holds for a whole statement, so that it can't have two values in it. */
function oncePerName(settings: [string, string][]): [string, string][] {
  const values = new Map<string, string>()
  for (const [name, value] of settings) {
    const other = values.get(name)
    if (other !== undefined && other !== value)
      throw denied(`the setting ${name} stands twice in the statement, with different values: set it once`)
    values.set(name, value)
  }
  return [...values]
}

async function installedNames(connection: EngineConnection): Promise<EngineNames> {
  const list = async (sql: string): Promise<string[]> =>
    (await connection.queryAsync(sql, { format: 'TSVRaw' })).text().trim().split('\n')
  return {
    functions: await list('SELECT name FROM system.functions'),
    tableFunctions: await list('SELECT name FROM system.table_functions'),
    systemTables: await list("SELECT name FROM system.tables WHERE database = 'system'"),
  }
}
