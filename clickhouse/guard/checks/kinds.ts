import type { Role } from '../../access/roles.js'
import { isKeyword, isName, isSymbol, type Token } from '../canonical/canonical-tokens.js'
import { denied, readOnly } from '../refusal.js'

const SHOWN =
  words(`TABLES DATABASES COLUMNS FIELDS INDEX INDEXES INDICES KEYS CREATE PROCESSLIST FUNCTIONS SETTING SETTINGS
  ENGINES GRANTS DICTIONARIES CLUSTERS CLUSTER MERGES CHANGED EXTENDED FULL TEMPORARY`)
const EXPLAINED = words('AST SYNTAX QUERY TREE PLAN PIPELINE ESTIMATE')

/** First words of statements that write, by role; what they write to is checked elsewhere. */
const WRITES: Record<Role, readonly string[]> = {
  analyst: [],
  builder: words('CREATE INSERT ALTER DROP TRUNCATE RENAME EXCHANGE OPTIMIZE DELETE UPDATE CHECK'),
  writer: words(
    'CREATE INSERT ALTER DROP TRUNCATE RENAME EXCHANGE OPTIMIZE DELETE UPDATE CHECK UNDROP ATTACH DETACH KILL SET USE',
  ),
}
/** Objects that CREATE may make. */
const MADE = words('TABLE VIEW DATABASE TEMPORARY OR MATERIALIZED')

/** Pairs of words that no user may send, in whatever statement. */
const NEVER: readonly (readonly [string, string, string])[] = [
  ['PARALLEL', 'WITH', 'two statements in one go past the checks of the engine: send one statement a request'],
  ['INTO', 'OUTFILE', 'INTO OUTFILE writes files on the server: read the result from the response'],
  ['FROM', 'INFILE', 'FROM INFILE reads files of the server: send the rows with the INSERT'],
]

/**
 * Checks that a statement is of a kind that the role may run.
 *
 * @returns whether it only reads
 * @throws ClickHouseException READONLY (164) or ACCESS_DENIED (497)
 */
export function checkKind(tokens: readonly Token[], role: Role): boolean {
  for (const [first, second, why] of NEVER) {
    if (tokens.some((token, at) => isKeyword(token, first) && isKeyword(tokens[at + 1], second))) throw denied(why)
  }
  const verb = verbOf(tokens)
  if (isReading(tokens, verb)) return true
  if (role === 'writer' && verb === 'EXPLAIN') return true
  if (!WRITES[role].includes(verb)) throw refusedKind(verb, role)
  if (verb === 'CREATE' && !isKeyword(tokens[1], ...MADE)) throw refusedKind(`CREATE ${tokens[1]?.text ?? ''}`, role)
  return false
}

function verbOf(tokens: readonly Token[]): string {
  const first = tokens[0]
  return first?.kind === 'word' || first?.kind === 'symbol' ? first.text.toUpperCase() : ''
}

function isReading(tokens: readonly Token[], verb: string): boolean {
  switch (verb) {
    case 'SELECT':
    case 'WITH':
    case '(':
      // `WITH … INSERT` begins like a query.
      return !tokens.some((token, at) => isKeyword(token, 'INSERT') && isKeyword(tokens[at + 1], 'INTO'))
    case 'SHOW':
      return isKeyword(tokens[1], ...SHOWN)
    case 'DESCRIBE':
    case 'EXISTS':
      return true
    case 'EXPLAIN':
      return explainsQuery(tokens)
    default:
      return false
  }
}

/** `EXPLAIN PLAN header = 1 SELECT …`: a query stands behind the kind and its settings. */
function explainsQuery(tokens: readonly Token[]): boolean {
  let at = 1
  while (isKeyword(tokens[at], ...EXPLAINED)) at++
  while (isName(tokens[at]) && isSymbol(tokens[at + 1], '=')) at += isSymbol(tokens[at + 3], ',') ? 4 : 3
  return isReading(tokens.slice(at), verbOf(tokens.slice(at))) && !isKeyword(tokens[at], 'EXPLAIN', 'SHOW')
}

function refusedKind(what: string, role: Role): Error {
  const may = {
    analyst: 'this user only reads (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN of a query, EXISTS)',
    builder: 'a builder reads, and creates, fills, alters and drops tables and views in databases of its own',
    writer: 'this server makes tables, views and databases, and nothing that reaches outside of them',
  }
  return readOnly(`${what} is rejected: ${may[role]}`)
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
