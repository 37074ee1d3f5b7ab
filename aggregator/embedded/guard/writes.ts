import { isKeyword, isName, isSymbol, queryStart, type Token } from './canonical-tokens.js'
import type { Names } from './names.js'
import { cannotRead, denied } from './refusal.js'
import { sourcesOf, type TableName, tableNameAt } from './tables.js'

/** First words of the parts of an ALTER TABLE that stay within the table. */
const ALTERATIONS =
  'ADD DROP MODIFY RENAME COMMENT CLEAR MATERIALIZE DELETE UPDATE REPLACE ATTACH MOVE RESET APPLY REWRITE'.split(' ')

/** Databases that are never a builder's, whatever its account says. */
const OURS = ['slotstream', 'system', 'default', 'information_schema', 'INFORMATION_SCHEMA']

/** Settings of a table that a builder may choose: how it keeps, merges and finds its rows; neither disks nor Keeper. */
const TABLE_SETTING =
  /^(?:index_granularity\w*|allow_nullable_key|min_(?:bytes|rows)_for_(?:wide|compact)_part|(?:non_)?replicated_deduplication_window|ttl_only_drop_parts|merge_with_ttl_timeout|default_compression_codec|enable_mixed_granularity_parts|deduplicate_merge_projection_mode|lightweight_mutation_projection_mode|allow_experimental_replacing_merge_with_cleanup|(?:add|enable)_\w*(?:minmax_index|block_number|block_offset)\w*|min_age_to_force_merge_\w+|parts_to_(?:delay|throw)_insert|optimize_row_order|compress_\w+|object_\w*serialization_version)$/

/**
 * Checks that a builder's statement writes to databases of its own alone, and leaves nothing at the tables of others
 * that could stop their loading.
 *
 * @param own databases of the builder
 * @param current database of names without one
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkWrites(tokens: readonly Token[], own: readonly string[], current: string): void {
  const mine = own.filter(database => !OURS.includes(database))
  const isMine = ({ database = current }: TableName): boolean => mine.includes(database)
  const body = queryStart(tokens)
  const definition = body < 0 ? tokens : tokens.slice(0, body)
  refuseFarReaching(definition)
  for (const target of targetsOf(tokens, definition)) {
    const database = target.database ?? current
    if (!isMine(target))
      throw denied(`${database} isn't a database of this builder, which may write to ${listOf(mine)}`)
  }
  if (!attachesToSources(tokens, definition)) return
  const foreign = sourcesOf(tokens.slice(Math.max(body, 0))).find(
    source => !isMine(source) && !(source.database === undefined && isCommonTable(tokens, source.table)),
  )
  if (foreign) {
    throw denied(
      `a view that is filled with every insert into ${foreign.database ?? current}.${foreign.table} could stop its loading: ` +
        'add REFRESH EVERY …, or read from tables of your own',
    )
  }
}

function refuseFarReaching(definition: readonly Token[]): void {
  definition.forEach((token, at) => {
    if (isKeyword(token, 'ON') && isKeyword(definition[at + 1], 'CLUSTER'))
      throw denied('ON CLUSTER: there is one server')
    if (isKeyword(token, 'UUID')) throw denied('UUID names data of another table: leave it out')
    if (isKeyword(token, 'TO') && isKeyword(definition[at + 1], 'DISK', 'VOLUME'))
      throw denied('data stays on the disk it is on')
  })
}

/**
 * Refuses tables and databases whose engines keep what they have elsewhere, of all users.
 *
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkEngines(tokens: readonly Token[], names: Names): void {
  tokens.forEach((token, at) => {
    if (!isKeyword(token, 'ENGINE') || !isSymbol(tokens[at + 1], '=')) return
    const engine = tokens[at + 2]
    const isDatabase = isKeyword(tokens[1], 'DATABASE')
    if (isDatabase ? !isKeyword(engine, 'ATOMIC') : !isName(engine) || !names.mayUseEngine(engine.text))
      throw denied(`the engine ${engine?.text ?? ''} keeps its data elsewhere: use MergeTree, Memory or Log`)
  })
}

/** Refuses settings of a table that aren't a builder's to choose. */
export function checkTableSettings(settings: Iterable<readonly [name: string, value: string]>): void {
  for (const [name] of settings)
    if (!TABLE_SETTING.test(name))
      throw denied(`the setting ${name} of a table isn't a builder's to choose: leave it out`)
}

/** The objects that a statement makes, changes or drops. */
function targetsOf(tokens: readonly Token[], definition: readonly Token[]): TableName[] {
  const verb = tokens[0]?.text.toUpperCase()
  const targets: TableName[] = []
  let at = 1
  const skip = (...keywords: string[]): void => {
    while (isKeyword(tokens[at], ...keywords)) at++
  }
  const take = (isDatabase = false): void => {
    const found = tableNameAt(tokens, at)
    if (!found) throw cannotRead('no name where one is expected')
    targets.push(isDatabase ? { database: tokens[at]!.text, table: '' } : found.name)
    at = found.end
  }
  switch (verb) {
    case 'CREATE': {
      const isTemporary = definition.some(token => isKeyword(token, 'TEMPORARY'))
      skip('OR', 'REPLACE', 'TEMPORARY', 'MATERIALIZED')
      const isDatabase = isKeyword(tokens[at], 'DATABASE')
      if (!isKeyword(tokens[at], 'TABLE', 'VIEW', 'DATABASE')) throw cannotRead('a kind of object to create')
      at++
      skip('IF', 'NOT', 'EXISTS')
      take(isDatabase)
      if (isTemporary) targets.pop()
      for (let to = at; to < definition.length; to++) {
        if (!isKeyword(tokens[to], 'TO') || !isName(tokens[to + 1])) continue
        at = to + 1
        take()
      }
      return targets
    }
    case 'INSERT':
      skip('INTO', 'TABLE')
      if (isKeyword(tokens[at], 'FUNCTION')) throw denied('INSERT INTO FUNCTION writes outside of tables')
      take()
      return targets
    case 'ALTER':
      if (!isKeyword(tokens[1], 'TABLE')) throw denied('a builder alters tables')
      at = 2
      take()
      return [...targets, ...targetsOfAlterations(tokens)]
    case 'DROP':
    case 'TRUNCATE': {
      if (isKeyword(tokens[1], 'ALL', 'TABLES')) throw denied('TRUNCATE takes one table: name it')
      const isDatabase = isKeyword(tokens[1], 'DATABASE')
      if (
        !isName(tokens[1]) ||
        !(verb === 'TRUNCATE' || isKeyword(tokens[1], 'TABLE', 'VIEW', 'DATABASE', 'TEMPORARY'))
      )
        throw denied('a builder drops tables, views and databases')
      const isTemporary = isKeyword(tokens[1], 'TEMPORARY')
      skip('TEMPORARY', 'TABLE', 'VIEW', 'DATABASE', 'IF', 'EXISTS', 'EMPTY')
      do take(isDatabase)
      while (isSymbol(tokens[at], ',') && at++)
      return isTemporary ? [] : targets
    }
    case 'RENAME':
    case 'EXCHANGE': {
      if (!isKeyword(tokens[1], 'TABLE', 'TABLES')) throw denied(`a builder may ${verb} tables`)
      at = 2
      skip('IF', 'EXISTS')
      do take()
      while ((isSymbol(tokens[at], ',') || isKeyword(tokens[at], 'TO', 'AND')) && at++)
      return targets
    }
    case 'OPTIMIZE':
    case 'CHECK':
      if (!isKeyword(tokens[1], 'TABLE')) throw denied(`a builder may ${verb} tables`)
      at = 2
      take()
      return targets
    case 'DELETE':
      skip('FROM')
      take()
      return targets
    case 'UPDATE':
      take()
      return targets
    default:
      throw cannotRead(`a kind that isn't a builder's (${verb})`)
  }
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
    const found = tableNameAt(tokens, at + 2)
    if (!found) throw cannotRead('no table behind TO TABLE')
    targets.push(found.name)
  })
  return targets
}

/** Whether the statement makes or changes a view that takes part in every insert into the table it reads from. */
function attachesToSources(tokens: readonly Token[], definition: readonly Token[]): boolean {
  if (isKeyword(tokens[0], 'ALTER')) {
    return tokens.some((token, at) => isKeyword(token, 'MODIFY') && isKeyword(tokens[at + 1], 'QUERY'))
  }
  if (!isKeyword(tokens[0], 'CREATE') || !definition.some(token => isKeyword(token, 'MATERIALIZED'))) return false
  return !definition.some((token, at) => isKeyword(token, 'REFRESH') && isKeyword(definition[at + 1], 'EVERY', 'AFTER'))
}

/** `WITH name AS (…)`. */
function isCommonTable(tokens: readonly Token[], name: string): boolean {
  return tokens.some(
    (token, at) =>
      isName(token) && token.text === name && isKeyword(tokens[at + 1], 'AS') && isSymbol(tokens[at + 2], '('),
  )
}

function listOf(databases: readonly string[]): string {
  return databases.length === 0 ? 'none' : databases.join(', ')
}
