import type { Role } from '../../access/roles.js'
import { LOG_DATABASE } from '../../query-log/table.js'
import { isKeyword, isName, isSymbol, queryStart, type Token } from '../canonical/canonical-tokens.js'
import type { Names } from '../names/names.js'
import { denied } from '../refusal.js'
import { sourcesOf, type TableName } from './tables.js'
import { createdBy, targetsOf } from './targets.js'

/** Databases that are never a builder's, whatever its account says. */
const OURS = ['slotstream', LOG_DATABASE, 'system', 'default', 'information_schema', 'INFORMATION_SCHEMA']

/** A refreshed view's interval begins with one of these. */
const REFRESH_UNITS = ['MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']

/** Settings of a table that a builder may choose: how it keeps, merges and finds its rows; neither disks nor Keeper. */
const TABLE_SETTING =
  /^(?:index_granularity\w*|allow_nullable_key|min_(?:bytes|rows)_for_(?:wide|compact)_part|(?:non_)?replicated_deduplication_window|ttl_only_drop_parts|merge_with_ttl_timeout|default_compression_codec|enable_mixed_granularity_parts|deduplicate_merge_projection_mode|lightweight_mutation_projection_mode|allow_experimental_replacing_merge_with_cleanup|(?:add|enable)_\w*(?:minmax_index|block_number|block_offset)\w*|min_age_to_force_merge_\w+|parts_to_(?:delay|throw)_insert|optimize_row_order|compress_\w+|object_\w*serialization_version)$/

/**
 * Checks that a builder's statement writes to databases of its own alone, and leaves nothing at the tables of others
 * that could stop their loading.
 *
 * @param databases databases of the builder
 * @param current database of names without one
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkWrites(tokens: readonly Token[], databases: readonly string[], current: string): void {
  const mine = databases.filter(database => !OURS.includes(database))
  const isMine = ({ database = current }: TableName): boolean => mine.includes(database)
  const body = queryStart(tokens)
  const definition = body < 0 ? tokens : tokens.slice(0, body)
  refuseFarReaching(definition)
  refuseOftenRefreshed(definition)
  for (const target of targetsOf(tokens, definition)) {
    if (!isMine(target))
      throw denied(`${target.database ?? current} isn't a database of this builder, which may write to ${listOf(mine)}`)
  }
  if (!attachesToSources(tokens, definition)) return
  // A name without a database counts as a table of the current one, also where it is one of WITH: the engine attaches
  // the view to a table of that name where the WITH is another query's.
  const foreign = sourcesOf(tokens.slice(Math.max(body, 0))).find(source => !isMine(source))
  if (foreign) {
    throw denied(
      `a view that is filled with every insert into ${foreign.database ?? current}.${foreign.table} could stop its loading: ` +
        'add REFRESH EVERY …, or read from tables of your own, with a database of your own as the current one',
    )
  }
}

function refuseFarReaching(definition: readonly Token[]): void {
  definition.forEach((token, at) => {
    if (isKeyword(token, 'ON') && isKeyword(definition[at + 1], 'CLUSTER'))
      throw denied('ON CLUSTER: there is one server')
    if (isKeyword(token, 'UUID') && definition[at + 1]?.kind === 'string')
      throw denied('UUID names data of another table: leave it out')
    if (isKeyword(token, 'TO') && isKeyword(definition[at + 1], 'DISK', 'VOLUME'))
      throw denied('data stays on the disk it is on')
  })
}

/**
 * Rejects views that are refreshed often. The engine refreshes a view by its own clock, at no one's request: `REFRESH
 * EVERY 30 SECOND` would never rest.
 */
function refuseOftenRefreshed(definition: readonly Token[]): void {
  definition.forEach((token, at) => {
    if (!isKeyword(token, 'REFRESH') || !isKeyword(definition[at + 1], 'EVERY', 'AFTER')) return
    const [amount, unit] = [definition[at + 2], definition[at + 3]]
    // Where no number follows, these are names.
    if (amount?.kind !== 'number') return
    if (!isKeyword(unit, ...REFRESH_UNITS) || !(Number(amount.text) >= 1))
      throw denied('a view may be refreshed once a minute at most: write REFRESH EVERY 1 MINUTE, or more')
  })
}

/**
 * Refuses tables and databases whose engines keep what they have elsewhere, of all users, and tables in memory, of
 * builders.
 *
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkEngines(tokens: readonly Token[], names: Names, role: Role): void {
  tokens.forEach((token, at) => {
    if (!isKeyword(token, 'ENGINE') || !isSymbol(tokens[at + 1], '=')) return
    const engine = tokens[at + 2]
    const isDatabase = isKeyword(tokens[1], 'DATABASE')
    if (isDatabase ? !isKeyword(engine, 'ATOMIC') : !isName(engine) || !names.mayUseEngine(engine.text, role))
      throw denied(`the engine ${engine?.text ?? ''} keeps its data elsewhere, or without bounds: use MergeTree`)
  })
}

/** Refuses settings of a table that aren't a builder's to choose. */
export function checkTableSettings(settings: Iterable<readonly [name: string, value: string]>): void {
  for (const [name] of settings)
    if (!TABLE_SETTING.test(name))
      throw denied(`the setting ${name} of a table isn't a builder's to choose: leave it out`)
}

/** Tells whether the statement makes or changes a view that takes part in every insert into the table it reads from. */
function attachesToSources(tokens: readonly Token[], definition: readonly Token[]): boolean {
  if (isKeyword(tokens[0], 'ALTER')) {
    return tokens.some((token, at) => isKeyword(token, 'MODIFY') && isKeyword(tokens[at + 1], 'QUERY'))
  }
  if (!isKeyword(tokens[0], 'CREATE') || !definition.some(token => isKeyword(token, 'MATERIALIZED'))) return false
  // Directly behind the name: the same words further on can be the names of an index and a column.
  const { end } = createdBy(tokens)
  return !(isKeyword(tokens[end], 'REFRESH') && isKeyword(tokens[end + 1], 'EVERY', 'AFTER'))
}

function listOf(databases: readonly string[]): string {
  return databases.length === 0 ? 'none' : databases.join(', ')
}
