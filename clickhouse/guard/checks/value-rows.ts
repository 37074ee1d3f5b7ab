import type { Role } from '../../access/roles.js'
import { ClickHouseException } from '../../errors.js'
import { isState } from '../columns.js'
import type { Names } from '../names/names.js'
import { denied } from '../refusal.js'
import { refusedState } from './types.js'

const STRING = /'(?:[^'\\]|\\.|'')*'/sy
const SPACE = /[ \t\r\n]+/y
const NUMBER = /\d[\w.]*(?:[eE][+-]?\d+)?/y
const WORD = /[A-Za-z_]\w*/y
const SYMBOL = /[()[\]{},.:;<>=!+\-*/%|?]/y
const LITERAL_WORD = /^(?:null|true|false|inf|nan|default)$/i
const SUBQUERY_WORD = /^(?:select|with|from|apply|file|identifier)$/i

/**
 * Checks the rows of `INSERT … VALUES`: the engine runs expressions in them. They are read in a small language:
 * literals, operators, and functions of the list by their plain names.
 *
 * @param rows text behind VALUES
 * @returns names of the `{name:Type}` placeholders in them
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkValueRows(rows: string, names: Names, role: Role): string[] {
  const parameters: string[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const text = pattern.exec(rows)?.[0]
    if (text !== undefined) at += text.length
    return text
  }
  while (at < rows.length) {
    const from = at
    if (match(SPACE) ?? match(STRING) ?? match(NUMBER)) continue
    const word = match(WORD)
    if (word !== undefined) {
      if (LITERAL_WORD.test(word)) continue
      const isParameter = rows[from - 1] === '{'
      match(SPACE)
      if (isParameter && rows[at] === ':') {
        parameters.push(word)
        continue
      }
      const allowed = rows[at] === '(' ? names.mayCall(word, role) : !names.isRefusedReference(word, role)
      if (role !== 'writer' && isState({ kind: 'word', text: word, start: from, end: at })) throw refusedState()
      // Its type could be the result of an expression, which is not read here.
      const isTyped = role !== 'writer' && names.typePlaceOf(word) !== undefined
      if (!allowed || isTyped || SUBQUERY_WORD.test(word))
        throw denied(`${word} in the rows of VALUES: use INSERT … SELECT, or send values`)
      continue
    }
    const symbol = match(SYMBOL)
    if (symbol === ';' && rows.slice(at).trim() !== '') {
      throw new ClickHouseException(
        62,
        'SYNTAX_ERROR',
        'Multi-statements are not allowed: nothing may follow the ; of an INSERT',
      )
    }
    const comment = /^(?:--|\/\*|\/\/)/.test(rows.slice(from, from + 2))
    if (symbol === undefined || comment) {
      throw denied(
        `${JSON.stringify(rows[from])} in the rows of VALUES: texts take single quotes, and comments and names in quotes aren't read here`,
      )
    }
  }
  return parameters
}
