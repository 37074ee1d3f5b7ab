import { isKeyword, isName, isSymbol, type Token } from '../canonical/canonical-tokens.js'
import { cannotRead, denied } from '../refusal.js'
import { type TableName, tableNameAt } from './tables.js'

/** First words of the parts of an ALTER TABLE that stay within the table. */
const ALTERATIONS =
  'ADD DROP MODIFY RENAME COMMENT CLEAR MATERIALIZE DELETE UPDATE REPLACE ATTACH MOVE RESET APPLY REWRITE'.split(' ')

/**
 * Words that may stand behind the last name of a statement. What stands there otherwise means that the words before it
 * weren't read as the engine reads them: names are often also keywords (a table `if`, a view `to`).
 */
const FOLLOWERS: Record<string, readonly string[]> = {
  CREATE: words(`ENGINE AS EMPTY CLONE REFRESH TO DEFINER SQL COMMENT PRIMARY PARTITION ORDER SETTINGS TTL`),
  INSERT: words('SELECT WITH FORMAT SETTINGS VALUES'),
  ALTER: [],
  DROP: words('SYNC FORMAT SETTINGS'),
  TRUNCATE: words('SYNC FORMAT SETTINGS'),
  RENAME: words('FORMAT SETTINGS'),
  EXCHANGE: words('FORMAT SETTINGS'),
  OPTIMIZE: words('PARTITION FINAL DEDUPLICATE CLEANUP FORMAT SETTINGS'),
  CHECK: words('PARTITION PART FORMAT SETTINGS'),
  DELETE: words('IN WHERE SETTINGS'),
  UPDATE: words('SET'),
}
/** Statements in which a bracket may stand there. */
const BEFORE_BRACKETS = words('CREATE INSERT ALTER')

/** The object that a CREATE makes. */
export interface Created {
  target: TableName
  /** Whether it belongs to a session, and to no database. */
  temporary: boolean
  /** Place behind its name. */
  end: number
}

/**
 * Reads what a CREATE makes. The words before the name are read one by one: each can be a name as well.
 *
 * @throws ClickHouseException ACCESS_DENIED (497) for what isn't understood
 */
export function createdBy(tokens: readonly Token[]): Created {
  const cursor = cursorOf(tokens)
  cursor.skip('OR', 'REPLACE')
  const temporary = cursor.skip('TEMPORARY')
  cursor.skip('MATERIALIZED')
  const isDatabase = isKeyword(tokens[cursor.at], 'DATABASE')
  if (!cursor.skip('TABLE') && !cursor.skip('VIEW') && !cursor.skip('DATABASE'))
    throw cannotRead('a kind of object to create')
  cursor.skip('IF', 'NOT', 'EXISTS')
  const target = cursor.take(isDatabase)
  return { target, temporary: temporary && target.database === undefined, end: cursor.at }
}

/**
 * Finds the objects that a builder's statement makes, changes or drops; those of a session alone are left out.
 *
 * @param definition the tokens before its query
 * @throws ClickHouseException ACCESS_DENIED (497) for what isn't a builder's, or isn't understood
 */
export function targetsOf(tokens: readonly Token[], definition: readonly Token[]): TableName[] {
  const verb = tokens[0]?.text.toUpperCase() ?? ''
  const cursor = cursorOf(tokens)
  switch (verb) {
    case 'CREATE': {
      const { target, temporary, end } = createdBy(tokens)
      checkFollower(tokens, end, verb)
      return [...(temporary ? [] : [target]), ...namesBehindTo(definition, end)]
    }
    case 'INSERT':
      cursor.skip('INTO')
      if (isKeyword(tokens[cursor.at], 'FUNCTION') && isName(tokens[cursor.at + 1]))
        throw denied('INSERT INTO FUNCTION writes outside of tables')
      return singleTarget(tokens, cursor, verb)
    case 'ALTER':
      if (!cursor.skip('TABLE')) throw denied('a builder alters tables')
      return [...singleTarget(tokens, cursor, verb), ...targetsOfAlterations(tokens)]
    case 'DROP':
    case 'TRUNCATE':
      return droppedBy(tokens, cursor, verb)
    case 'RENAME':
    case 'EXCHANGE':
      return renamedBy(tokens, cursor, verb)
    case 'OPTIMIZE':
    case 'CHECK':
      if (!cursor.skip('TABLE')) throw denied(`a builder may ${verb} tables`)
      return singleTarget(tokens, cursor, verb)
    case 'DELETE':
      cursor.skip('FROM')
      return singleTarget(tokens, cursor, verb)
    case 'UPDATE':
      return singleTarget(tokens, cursor, verb)
    default:
      throw cannotRead(`a kind that isn't a builder's (${verb})`)
  }
}

function droppedBy(tokens: readonly Token[], cursor: Cursor, verb: string): TableName[] {
  const isTemporary = cursor.skip('TEMPORARY')
  const isDatabase = verb === 'DROP' && isKeyword(tokens[cursor.at], 'DATABASE')
  const isKind = cursor.skip('TABLE') || (verb === 'DROP' && (cursor.skip('VIEW') || cursor.skip('DATABASE')))
  if (!isKind) throw denied('a builder drops tables, views and databases, and truncates one table at a time')
  if (!cursor.skip('IF', 'EXISTS')) cursor.skip('IF', 'EMPTY')
  const targets = [cursor.take(isDatabase)]
  while (isSymbol(tokens[cursor.at], ',')) {
    cursor.at++
    targets.push(cursor.take(isDatabase))
  }
  checkFollower(tokens, cursor.at, verb)
  return isTemporary ? targets.filter(({ database }) => database !== undefined) : targets
}

function renamedBy(tokens: readonly Token[], cursor: Cursor, verb: string): TableName[] {
  if (!cursor.skip('TABLE') && !cursor.skip('TABLES')) throw denied(`a builder may ${verb} tables`)
  const targets: TableName[] = []
  for (;;) {
    cursor.skip('IF', 'EXISTS')
    targets.push(cursor.take())
    if (!cursor.skip(verb === 'RENAME' ? 'TO' : 'AND')) throw cannotRead(`one name alone in ${verb}`)
    targets.push(cursor.take())
    if (!isSymbol(tokens[cursor.at], ',')) break
    cursor.at++
  }
  checkFollower(tokens, cursor.at, verb)
  return targets
}

/** `ALTER TABLE t (ADD COLUMN …), (MOVE PARTITION … TO TABLE u)`. */
function targetsOfAlterations(tokens: readonly Token[]): TableName[] {
  const targets: TableName[] = []
  let depth = 0
  tokens.forEach((token, at) => {
    if (isSymbol(token, ')')) depth--
    if (!isSymbol(token, '(')) return
    if (depth++ === 0 && !isKeyword(tokens[at + 1], ...ALTERATIONS))
      throw denied(`ALTER TABLE … ${tokens[at + 1]?.text ?? ''} isn't a builder's`)
  })
  tokens.forEach((token, at) => {
    if (!isKeyword(token, 'TO') || !isKeyword(tokens[at + 1], 'TABLE')) return
    const target = tableNameAt(tokens, at + 2)
    if (!target) throw cannotRead('no table behind TO TABLE')
    targets.push(target.name)
  })
  return targets
}

/** Returns the tables that a materialized view writes to. */
function namesBehindTo(definition: readonly Token[], from: number): TableName[] {
  const targets: TableName[] = []
  for (let at = from; at < definition.length; at++) {
    if (!isKeyword(definition[at], 'TO') || !isName(definition[at + 1])) continue
    const target = tableNameAt(definition, at + 1)
    if (target) targets.push(target.name)
  }
  return targets
}

function singleTarget(tokens: readonly Token[], cursor: Cursor, verb: string): TableName[] {
  const target = cursor.take()
  checkFollower(tokens, cursor.at, verb)
  return [target]
}

function checkFollower(tokens: readonly Token[], at: number, verb: string): void {
  const token = tokens[at]
  const isKnown =
    token === undefined ||
    isKeyword(token, ...(FOLLOWERS[verb] ?? [])) ||
    (isSymbol(token, '(') && BEFORE_BRACKETS.includes(verb))
  if (!isKnown) throw cannotRead(`${token.text} behind a name`)
}

/** A place in a statement that moves on. */
interface Cursor {
  at: number
  /** Passes these keywords if all of them stand here, in this order. */
  skip(...keywords: string[]): boolean
  /** Reads a name, and passes it. */
  take(isDatabase?: boolean): TableName
}

function cursorOf(tokens: readonly Token[]): Cursor {
  const cursor: Cursor = {
    at: 1,
    skip(...keywords) {
      const isThere = keywords.every((keyword, i) => isKeyword(tokens[cursor.at + i], keyword))
      if (isThere) cursor.at += keywords.length
      return isThere
    },
    take(isDatabase = false) {
      const target = tableNameAt(tokens, cursor.at)
      if (!target || (isDatabase && target.name.database !== undefined))
        throw cannotRead('no name where one is expected')
      cursor.at = target.end
      return isDatabase ? { database: target.name.table, table: '' } : target.name
    },
  }
  return cursor
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
