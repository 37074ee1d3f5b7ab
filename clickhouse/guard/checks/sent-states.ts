import type { EngineConnection } from '../../engine/connections/connections.js'
import { quoteString } from '../../sql/quote.js'
import { isKeyword, queryStart, tokenizeCanonical } from '../canonical/canonical-tokens.js'
import { targetsOf } from './targets.js'
import { refusedState } from './types.js'

/** A type that is a state of a function, or has one in it; `SimpleAggregateFunction` holds plain values. */
const STATE = String.raw`(^|\\W)AggregateFunction\\(`

/**
 * Rejects an INSERT whose rows come along, not from a query, where a column keeps states of functions: the engine takes
 * their bytes as they are, and forged ones end it.
 *
 * @param sql canonical text that was checked
 * @param current database of names without one
 * @param connection of the engine, to look at the table
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export async function refuseSentStates(sql: string, current: string, connection: EngineConnection): Promise<void> {
  if (!sql.startsWith('INSERT ')) return
  const tokens = tokenizeCanonical(sql)
  if (!isKeyword(tokens[0], 'INSERT') || queryStart(tokens) >= 0) return
  for (const { database = current, table } of targetsOf(tokens, tokens)) {
    const look =
      `SELECT count() FROM system.columns WHERE database = ${quoteString(database)} ` +
      `AND table = ${quoteString(table)} AND match(type, '${STATE}')`
    const states = (await connection.queryAsync(look, { format: 'TSV' })).text().trim()
    if (states !== '0') throw refusedState()
  }
}
