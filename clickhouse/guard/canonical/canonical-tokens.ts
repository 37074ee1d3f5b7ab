import { cannotRead } from '../refusal.js'

/** A token of canonical SQL, the text that the engine's own formatter writes. */
export interface Token {
  /** `word`: a bare identifier or keyword. `quoted`: a name in backticks. The others say what they are. */
  kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol'
  /** The word, the decoded name or string, or the characters themselves. */
  text: string
  start: number
  end: number
}

const WORD = /[A-Za-z_][\w$]*/y
const NUMBER = /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?![\w$])/y
const STRING = /'(?:[^'\\]|\\.|'')*'/sy
const QUOTED = /`(?:[^`\\]|\\.|``)*`/sy
const SYMBOL = /[()[\]{},.:=<>!+\-*/%^]/y
/** Would begin a comment, which the formatter never writes. */
const COMMENT = /--|\/\*|\/\//y
const ESCAPES: Record<string, string> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '`': '`',
}

/**
 * Cuts canonical SQL into tokens. It reads a small language on purpose, in which the engine's lexer and this one cannot
 * differ: no comments, no double quotes, no heredocs, no numeric escapes, nothing but ASCII outside of quotes. The
 * formatter writes some names without quotes that need them; what then stands there is read here as the engine will
 * read it, or rejected.
 *
 * @throws ClickHouseException ACCESS_DENIED (497) for anything else
 */
export function tokenizeCanonical(sql: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(sql)?.[0]
  }
  const push = (kind: Token['kind'], raw: string, text = raw): void => {
    tokens.push({ kind, text, start: at, end: at + raw.length })
    at += raw.length
  }
  while (at < sql.length) {
    if (sql[at] === ' ') {
      at++
      continue
    }
    if (match(COMMENT)) throw cannotRead('a comment sign outside of quotes')
    const string = match(STRING)
    if (string !== undefined) {
      push('string', string, decode(string))
      continue
    }
    const quoted = match(QUOTED)
    if (quoted !== undefined) {
      push('quoted', quoted, decode(quoted))
      continue
    }
    const word = match(WORD)
    if (word !== undefined) {
      push('word', word)
      continue
    }
    const number = match(NUMBER)
    if (number !== undefined) {
      push('number', number)
      continue
    }
    const symbol = match(SYMBOL)
    if (symbol === undefined) throw cannotRead(`the character ${JSON.stringify(sql[at])} outside of quotes`)
    push('symbol', symbol)
  }
  return tokens
}

function decode(text: string): string {
  const quote = text[0]!
  return text.slice(1, -1).replace(/\\(.)|``|''/gs, (pair, escaped: string | undefined) => {
    if (escaped === undefined) return pair[0] === quote ? quote : pair
    const character = ESCAPES[escaped]
    if (character === undefined) throw cannotRead(`the escape \\${escaped}`)
    return character
  })
}

/** Tells whether a token is this bare keyword, in any case: the engine reads keywords so. */
export function isKeyword(token: Token | undefined, ...keywords: string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.text.toUpperCase())
}

/** Tells whether a token is this symbol. */
export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.text === symbol
}

/** Tells whether a token can be a name or a part of one. */
export function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted'
}

/**
 * Returns the place of the query in a statement such as `CREATE … AS SELECT`: its first SELECT or WITH outside of
 * brackets; -1. Names can be these words too, so that in a CREATE only those behind AS count.
 */
export function queryStart(tokens: readonly Token[]): number {
  const creates = isKeyword(tokens[0], 'CREATE')
  let depth = 0
  return tokens.findIndex((token, at) => {
    if (isSymbol(token, '(')) depth++
    if (isSymbol(token, ')')) depth--
    // `PARALLEL WITH` never comes here, `WITH TOTALS` only behind a SELECT.
    if (depth !== 0 || !isKeyword(token, 'SELECT', 'WITH') || isSymbol(tokens[at - 1], '.')) return false
    return !creates || isKeyword(tokens[at - 1], 'AS')
  })
}
