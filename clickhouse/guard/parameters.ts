import { quoteName } from '../sql/quote.js'
import { isName, isSymbol, type Token } from './canonical/canonical-tokens.js'
import { cannotRead, denied } from './refusal.js'

/**
 * Puts the names that come as parameters into the statement: `{t:Identifier}` can be a table, a column or a function,
 * so that what it stands for has to be seen. Other parameters are values, and the engine fills them in.
 *
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function fillInNames(sql: string, tokens: readonly Token[], parameters: ReadonlyMap<string, string>): string {
  let filled = ''
  let at = 0
  tokens.forEach((token, i) => {
    if (!isSymbol(token, '{') || !isName(tokens[i + 1]) || !isSymbol(tokens[i + 2], ':')) return
    let end = i + 3
    while (tokens[end] && !isSymbol(tokens[end], '}')) end++
    const type = tokens.slice(i + 3, end)
    if (!type.some(part => isName(part) && /^identifier$/i.test(part.text))) return
    if (type.length !== 1) throw cannotRead('a parameter that is a list of names')
    const value = parameters.get(tokens[i + 1]!.text)
    if (value === undefined) return
    if (value === '' || value.includes('\0'))
      throw denied(`the parameter ${tokens[i + 1]!.text} is no name: send the name of one table, column or function`)
    filled += sql.slice(at, token.start) + quoteName(value)
    at = tokens[end]!.end
  })
  return filled + sql.slice(at)
}
