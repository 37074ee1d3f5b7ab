import type { Role } from '../../access/roles.js'
import { takenSettings } from '../../access/settings/analyst-settings.js'
import { quoteString } from '../../sql/quote.js'
import { isKeyword, isName, isSymbol, type Token, tokenizeCanonical } from '../canonical/canonical-tokens.js'

/**
 * Makes `system.settings` tell which settings a client may send. The engine calls all of them read-only on a
 * connection that is locked, and Python's clickhouse-connect then sends none.
 *
 * @param sql checked and canonical
 */
export function withSettableSettings(sql: string, role: Role): string {
  if (role === 'writer' || !/^(?:SELECT|WITH|\()/.test(sql) || !sql.includes('settings')) return sql
  const tokens = tokenizeCanonical(sql)
  const isTable = (at: number): boolean =>
    isWordOrName(tokens[at], 'system') && isSymbol(tokens[at + 1], '.') && isWordOrName(tokens[at + 2], 'settings')
  const isSource = (at: number): boolean =>
    isKeyword(tokens[at - 1], 'FROM', 'JOIN') && isTable(at) && !isSymbol(tokens[at + 3], '.')
  if (!tokens.some((_, at) => isSource(at))) return sql
  let text = ''
  let end = 0
  tokens.forEach((token, at) => {
    if (!isTable(at) || isSymbol(tokens[at - 1], '.')) return
    text += sql.slice(end, token.start)
    end = tokens[at + 2]!.end
    if (isSource(at)) text += sourceFor(role) + (isKeyword(tokens[at + 3], 'AS') ? '' : ' AS settings')
    else text += isSymbol(tokens[at + 3], '.') ? 'settings' : 'system.settings'
  })
  return text + sql.slice(end)
}

function sourceFor(role: Role): string {
  const { names, pattern } = takenSettings(role)
  const isTaken = `name IN (${names.map(quoteString).join(', ')}) OR match(name, ${quoteString(pattern)})`
  return `(SELECT * REPLACE (toUInt8(NOT (${isTaken})) AS readonly) FROM system.settings)`
}

function isWordOrName(token: Token | undefined, name: string): boolean {
  return isName(token) && token.text === name
}
