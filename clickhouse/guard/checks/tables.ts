import { isKeyword, isName, isSymbol, type Token } from '../canonical/canonical-tokens.js'
import type { Names } from '../names/names.js'
import { denied } from '../refusal.js'

/**
 * The engine's database `default` also holds every file it can reach, as a table named by its path. Names that begin
 * like one are rejected wherever they stand.
 */
const PATH = /^(?:[/~.\\]|\w+:\/\/)|\.\.[/\\]/

/** Database of the engine for what belongs to one connection. */
const OF_SESSIONS = '_temporary_and_external_tables'

/** A table as a statement names it. */
export interface TableName {
  database?: string
  table: string
}

/**
 * Refuses tables that aren't for all users: those of `system` that don't describe, and files by their path.
 *
 * @param current database of names without one
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkTables(tokens: readonly Token[], names: Names, current: string): void {
  if (current === OF_SESSIONS) throw denied(`${OF_SESSIONS} has the temporary tables of others`)
  tokens.forEach((token, at) => {
    if (!isName(token)) return
    if (token.kind === 'quoted' && PATH.test(token.text))
      throw denied(`\`${token.text}\` looks like a file's path: tables have names, and aliases begin with a letter`)
    if (token.text === OF_SESSIONS) throw denied(`${OF_SESSIONS} has the temporary tables of others`)
    if (isSymbol(tokens[at - 1], '.')) return
    const qualified = isSymbol(tokens[at + 1], '.') && isName(tokens[at + 2])
    if (qualified && token.text === 'system' && !names.mayReadSystemTable(tokens[at + 2]!.text))
      throw denied(`system.${tokens[at + 2]!.text} isn't among the tables of system that describe the database`)
    if (!qualified && current === 'system' && names.isSystemTable(token.text) && !names.mayReadSystemTable(token.text))
      throw denied(`system.${token.text} isn't among the tables of system that describe the database`)
    if (isSymbol(tokens[at + 1], '(') && token.text.toLowerCase() === 'merge') checkMerge(tokens, at + 2, current)
    if (isSymbol(tokens[at + 1], '(') && token.text.startsWith('system.'))
      throw denied(`${token.text} isn't a view with parameters`)
  })
}

/** `merge('database', 'pattern')` reads all tables that fit; the database must be in the open. */
function checkMerge(tokens: readonly Token[], at: number, current: string): void {
  const first = tokens[at]
  const isOne = isSymbol(tokens[at + 1], ')')
  const isCurrent = isKeyword(first, 'CURRENTDATABASE') && isSymbol(tokens[at + 1], '(')
  const database = isOne || isCurrent ? current : isSymbol(tokens[at + 1], ',') ? first?.text : undefined
  const literal = first?.kind === 'string' || (isName(first) && !isOne)
  if (!literal || database === undefined || database === 'system' || database === OF_SESSIONS || PATH.test(database))
    throw denied(
      "merge() takes the name of one database, other than system, and a pattern: merge('slotstream', '^events$')",
    )
}

/** Reads a table's name at a place; undefined where there is none. `end` is the place behind it. */
export function tableNameAt(tokens: readonly Token[], at: number): { name: TableName; end: number } | undefined {
  const [first, dot, second] = [tokens[at], tokens[at + 1], tokens[at + 2]]
  if (!isName(first)) return undefined
  if (isSymbol(dot, '.') && isName(second)) return { name: { database: first.text, table: second.text }, end: at + 3 }
  return { name: { table: first.text }, end: at + 1 }
}

/** Clauses after which a comma separates no tables. */
const AFTER_TABLES =
  'SELECT PREWHERE WHERE GROUP HAVING WINDOW QUALIFY ORDER LIMIT OFFSET SETTINGS UNION EXCEPT INTERSECT ARRAY WITH'.split(
    ' ',
  )

/** Returns the tables that a query reads from, in FROM and JOIN, subqueries included; not those in `IN (table)`. */
export function sourcesOf(tokens: readonly Token[]): TableName[] {
  const sources: TableName[] = []
  const listsTables = [false]
  tokens.forEach((token, at) => {
    if (isSymbol(token, '(')) listsTables.push(false)
    else if (isSymbol(token, ')')) listsTables.pop()
    else if (isKeyword(token, 'FROM')) listsTables[listsTables.length - 1] = true
    else if (isKeyword(token, ...AFTER_TABLES)) listsTables[listsTables.length - 1] = false
    const begins = isKeyword(token, 'FROM', 'JOIN') || (isSymbol(token, ',') && listsTables.at(-1) === true)
    const source = begins ? tableNameAt(tokens, at + 1) : undefined
    if (source && !isSymbol(tokens[source.end], '(')) sources.push(source.name)
  })
  return sources
}
