import { ClickHouseException } from '../errors.js'
import { isWord, type Statement } from './statement.js'
import type { Token } from './tokens.js'

/** The change of a session by a SET or USE. */
export interface SessionChange {
  /** No value: back to the default. */
  settings: [name: string, value: string | undefined][]
  database?: string
}

/**
 * Reads a SET or a USE, which the server keeps itself: an analyst's connection is locked against SET, and the trusted
 * user's is put into a known state before each query.
 *
 * @returns undefined for any other statement
 * @throws ClickHouseException SYNTAX_ERROR (62), or NOT_IMPLEMENTED (48) for values that are not a number, a word or a
 * text
 */
export function sessionChangeOf({ verb, sql, tokens }: Statement): SessionChange | undefined {
  if (verb === 'USE') {
    const name = tokens[isWord(tokens[1], 'DATABASE') && tokens.length === 3 ? 2 : 1]
    if (tokens.at(-1) !== name || !isName(name)) throw syntaxError('USE takes the name of a database')
    return { settings: [], database: name.text }
  }
  if (verb !== 'SET') return undefined
  const settings: SessionChange['settings'] = []
  let at = 1
  do {
    const [name, equals] = [tokens[at], tokens[at + 1]]
    if (!isName(name) || equals?.text !== '=') throw syntaxError('SET takes name = value, with commas between several')
    const { value, end } = settingValue(sql, tokens, at + 2)
    if (name.text.startsWith('param_')) throw notImplemented('send parameters with the query that uses them')
    settings.push([name.text, value])
    at = end
  } while (tokens[at++]?.text === ',')
  if (at <= tokens.length) throw syntaxError('SET takes name = value, with commas between several')
  return { settings }
}

function settingValue(sql: string, tokens: Token[], at: number): { value: string | undefined; end: number } {
  const token = tokens[at]
  if (token?.kind === 'string') {
    const text = sql.slice(token.start, token.end)
    const inner = text.slice(1, -1)
    // \n and the like would need the engine's own reading.
    if (text[0] !== "'" || /\\[^\\']/.test(inner.replaceAll('\\\\', '')))
      throw notImplemented('write it without escapes')
    return { value: inner.replace(/''|\\(['\\])/g, (_, escaped: string | undefined) => escaped ?? "'"), end: at + 1 }
  }
  if (isWord(token, 'DEFAULT')) return { value: undefined, end: at + 1 }
  // A number is several tokens: -1.5.
  let end = at
  while (tokens[end] && /^[\w.+-]+$/.test(tokens[end]!.text) && tokens[end]!.kind !== 'quoted') end++
  const text = end > at ? sql.slice(tokens[at]!.start, tokens[end - 1]!.end) : ''
  if (!/^[-+\w.]+$/.test(text)) throw notImplemented('give it as a number, a word or a text in single quotes')
  return { value: text, end }
}

function isName(token: Token | undefined): token is Token {
  return token !== undefined && (token.kind === 'word' || token.kind === 'quoted') && /^[A-Za-z_]\w*$/.test(token.text)
}

function syntaxError(what: string): ClickHouseException {
  return new ClickHouseException(62, 'SYNTAX_ERROR', `Syntax error: ${what}`)
}

function notImplemented(what: string): ClickHouseException {
  return new ClickHouseException(
    48,
    'NOT_IMPLEMENTED',
    `This value can't be SET in a session of the embedded server: ${what}`,
  )
}
