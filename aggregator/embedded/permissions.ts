import type { Account } from './accounts.js'
import { ClickHouseException } from './errors.js'
import { guardAnalyst } from './guard.js'
import { isWord, type Statement } from './statement.js'

/** Parameters of one statement that may name things. */
const MAX_IDENTIFIERS = 50

/** Statements by which a builder fills databases of its own, and what may follow the first word. */
const BUILDING = /^(?:CREATE|DROP|ALTER|INSERT|TRUNCATE|RENAME|EXCHANGE|OPTIMIZE|DELETE|UPDATE)$/
const NEVER =
  /^(?:MATERIALIZED|DICTIONARY|FUNCTION|USER|ROLE|GRANT|INFILE|OUTFILE|PARALLEL|NAMED|POLICY|QUOTA|PROFILE)$/i
/** What stands before the name of an object that is written to. */
const BEFORE_TARGET = /^(?:TABLE|VIEW|DATABASE|EXISTS|INTO|TO|AND|FROM|UPDATE|WITH)$/i

/**
 * Refuses a statement that an account may not run.
 *
 * @param parameters values of the statement's `{name:Type}` placeholders
 * @throws ClickHouseException READONLY (164) or ACCESS_DENIED (497)
 */
export function checkPermitted(
  statement: Statement,
  parameters: Iterable<readonly [name: string, value: string]>,
  { role, databases }: Pick<Account, 'role' | 'databases'>,
): void {
  if (role === 'writer') return
  // The guard goes through the statement for each parameter, so it gets those alone that can name anything.
  const placeholders = identifierPlaceholdersOf(statement)
  const identifiers = [...parameters].filter(([name]) => placeholders.has(name))
  if (role === 'analyst' || statement.kind === 'rows' || statement.kind === 'describe') {
    guardAnalyst(statement, identifiers)
    return
  }
  if (!BUILDING.test(statement.verb)) throw denied(`${statement.verb} is none of a builder's statements`)
  // As if it were a SELECT: what no query may name, no statement that builds may name either.
  guardAnalyst({ ...statement, kind: 'rows' }, identifiers)
  const { tokens } = statement
  const selects = tokens.findIndex(token => isWord(token, 'SELECT'))
  const end = selects < 0 ? tokens.length : selects
  if (tokens.slice(0, end).some(token => token.kind === 'word' && NEVER.test(token.text)))
    throw denied('a builder makes tables and views, and fills them')
  for (let at = 1; at < end; at++) {
    const [before, name, dot] = [tokens[at - 1]!, tokens[at]!, tokens[at + 1]]
    const isTarget = before.kind === 'word' && BEFORE_TARGET.test(before.text) && name.kind !== 'symbol'
    const namesDatabase = dot?.text === '.' || isWord(before, 'DATABASE')
    if (isTarget && namesDatabase && !databases.includes(name.text) && !/^(?:IF|NOT)$/i.test(name.text))
      throw denied(`${name.text} is no database of this builder: ${databases.join(', ')}`)
  }
}

function identifierPlaceholdersOf({ tokens }: Statement): Set<string> {
  const names = tokens.filter(
    (_, i) => tokens[i - 1]?.text === '{' && tokens[i + 1]?.text === ':' && isWord(tokens[i + 2], 'IDENTIFIER'),
  )
  // Each is a pass over the statement.
  if (names.length > MAX_IDENTIFIERS)
    throw denied(`a statement has ${MAX_IDENTIFIERS} parameters of the type Identifier at most`)
  return new Set(names.map(({ text }) => text))
}

function denied(what: string): ClickHouseException {
  return new ClickHouseException(497, 'ACCESS_DENIED', `Not enough privileges: ${what}`)
}
