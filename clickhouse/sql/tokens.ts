import { ClickHouseException } from '../errors.js'

/** A significant token of a statement: whitespace and comments are skipped. */
export interface Token {
  /** `word`: bare identifier, keyword or number. `quoted`: `` `name` `` or `"name"`. `string`: any literal. */
  kind: 'word' | 'quoted' | 'string' | 'symbol'
  /** A word as written, the contents of a quoted identifier, or the symbol; empty for strings. */
  text: string
  start: number
  end: number
}

/** Characters that are space for the engine, too: no-break and zero-width spaces, byte order marks. */
const SPACE = /[\s\u0085\u180e\u200b-\u200d\u2060\ufeff]+/y
const LINE_COMMENT = /(?:--|\/\/|#[ !])[^\n]*/y
const COMMENT_EDGE = /\/\*|\*\//g
const BINARY_STRING = /[xXbB]'/y
const WORD = /[\w$]+/y
const HEREDOC_TAG = /\$\w*\$/y
const SYMBOL = /[!-/:-@[-^{-~]/y
const QUOTED: Record<string, RegExp> = {
  "'": /'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'/y,
  '"': /"[^"\\]*(?:(?:\\[\s\S]|"")[^"\\]*)*"/y,
  '`': /`[^`\\]*(?:(?:\\[\s\S]|``)[^`\\]*)*`/y,
}

/**
 * Cuts SQL into tokens as ClickHouse's lexer does (nested comments, `//` and `#` comments, heredocs, three kinds of
 * quotes with doubling and backslashes). Lazy, because what follows an `INSERT … FORMAT` is data, not SQL.
 *
 * Whatever the two lexers could understand differently is rejected rather than guessed: a guard that sees other
 * tokens than the engine guards nothing. So typographic quotes, which the engine accepts as quotes, are errors here.
 *
 * @throws ClickHouseException SYNTAX_ERROR (62)
 */
export function* tokenize(sql: string): Generator<Token, void, undefined> {
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(sql)?.[0]
  }
  while (at < sql.length) {
    const skipped = match(SPACE) ?? match(LINE_COMMENT)
    if (skipped !== undefined) {
      at += skipped.length
      continue
    }
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at)
      continue
    }
    const token = nextToken(sql, at, match)
    yield token
    at = token.end
  }
}

function nextToken(sql: string, start: number, match: (pattern: RegExp) => string | undefined): Token {
  const quote = QUOTED[sql[start]!]
  if (quote) {
    const text = match(quote)
    if (text === undefined) throw syntaxError(start, `a ${sql[start]} quote is never closed`)
    const end = start + text.length
    if (sql[start] === "'") return { kind: 'string', text: '', start, end }
    return { kind: 'quoted', text: unquote(text), start, end }
  }
  if (match(BINARY_STRING)) {
    const text = match(/[xX]'[0-9a-fA-F]*'|[bB]'[01]*'/y)
    if (text === undefined) throw syntaxError(start, 'not a hexadecimal or binary string')
    return { kind: 'string', text: '', start, end: start + text.length }
  }
  if (sql[start] === '$') {
    const tag = match(HEREDOC_TAG)
    const close = tag === undefined ? -1 : sql.indexOf(tag, start + tag.length)
    if (tag === undefined || close < 0) throw syntaxError(start, 'a $ that starts no heredoc')
    return { kind: 'string', text: '', start, end: close + tag.length }
  }
  const word = match(WORD)
  if (word !== undefined) return { kind: 'word', text: word, start, end: start + word.length }
  const symbol = match(SYMBOL)
  if (symbol !== undefined && symbol !== '#' && symbol !== '\\') {
    return { kind: 'symbol', text: symbol, start, end: start + 1 }
  }
  throw syntaxError(start, `unexpected character ${JSON.stringify(String.fromCodePoint(sql.codePointAt(start)!))}`)
}

function endOfComment(sql: string, start: number): number {
  let depth = 0
  COMMENT_EDGE.lastIndex = start
  for (let edge = COMMENT_EDGE.exec(sql); edge; edge = COMMENT_EDGE.exec(sql)) {
    depth += edge[0] === '/*' ? 1 : -1
    if (depth === 0) return COMMENT_EDGE.lastIndex
  }
  throw syntaxError(start, 'a comment is never closed')
}

function unquote(text: string): string {
  const quote = text[0]!
  return text
    .slice(1, -1)
    .replaceAll(quote + quote, quote)
    .replace(/\\([\s\S])/g, '$1')
}

function syntaxError(at: number, what: string): ClickHouseException {
  return new ClickHouseException(62, 'SYNTAX_ERROR', `Syntax error at position ${at + 1}: ${what}.`)
}
