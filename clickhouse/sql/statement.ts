import { ClickHouseException } from '../errors.js'
import { type Token, tokenize } from './tokens.js'

/** Facts about a statement that the front needs before the engine sees it. */
export interface Statement {
  /** `rows`: SELECT and its kin. `describe`: SHOW, DESCRIBE, EXPLAIN, EXISTS. `insert`, and everything else. */
  kind: 'rows' | 'describe' | 'insert' | 'other'
  /** First keyword, upper case, e.g. `CREATE`. */
  verb: string
  /** The statement alone: no closing semicolon, and for an insert with inline data nothing after the format. */
  sql: string
  tokens: Token[]
  /** Format named by a FORMAT clause, and where that clause begins. */
  format?: { name: string; start: number }
  /** Where inline data of an `INSERT … FORMAT x` begins in the text that was read. */
  dataStart?: number
  /** Where the `FROM INFILE` of such an insert belongs: before its settings and its format. */
  sourceStart?: number
}

const KIND_OF_VERB: Record<string, Statement['kind']> = {
  SELECT: 'rows',
  WITH: 'rows',
  FROM: 'rows',
  '(': 'rows',
  SHOW: 'describe',
  DESCRIBE: 'describe',
  DESC: 'describe',
  EXPLAIN: 'describe',
  EXISTS: 'describe',
  INSERT: 'insert',
}

/**
 * Reads one statement. Its closing semicolon and comments are allowed, a second statement isn't: the engine would run
 * both.
 *
 * @throws ClickHouseException SYNTAX_ERROR (62) when empty, more than one, or not readable
 */
export function readStatement(text: string): Statement {
  const tokens: Token[] = []
  let ended = false
  let depth = 0
  let selects = false
  let format: Statement['format']
  let dataStart: number | undefined
  for (const token of tokenize(text)) {
    if (token.kind === 'symbol' && token.text === ';') {
      ended = true
      continue
    }
    if (ended) {
      throw new ClickHouseException(
        62,
        'SYNTAX_ERROR',
        'Multi-statements are not allowed: send one statement a request',
      )
    }
    const previous = tokens.at(-1)
    tokens.push(token)
    if (token.kind === 'symbol') {
      if (token.text === '(') depth++
      if (token.text === ')') depth--
    }
    // `FORMAT `Null``: canonical SQL quotes names that are also keywords.
    const named = token.kind === 'word' || (token.kind === 'quoted' && isWord(previous, 'FORMAT'))
    if (depth !== 0 || !named) continue
    selects ||= isWord(token, 'SELECT') || isWord(token, 'WITH')
    const inserts = isWord(tokens[0], 'INSERT') && !selects
    if (inserts && isWord(token, 'VALUES') && !/^(?:insert|into|table|format|\.)$/i.test(previous?.text ?? '')) {
      dataStart = token.end
      break
    }
    if (!isWord(previous, 'FORMAT') || tokens.length < 3) continue
    format = { name: token.text, start: previous!.start }
    // The rest is data in that format.
    if (inserts) {
      dataStart = startOfData(text, token.end)
      break
    }
  }
  const first = tokens[0]
  const last = tokens.at(-1)
  if (!first || !last) throw new ClickHouseException(62, 'SYNTAX_ERROR', 'Empty query')
  const verb = first.text.toUpperCase()
  const kind = (first.kind === 'quoted' ? undefined : KIND_OF_VERB[verb]) ?? 'other'
  const statement: Statement = { kind, verb, sql: text.slice(0, last.end), tokens }
  // A column may be called format, too: the clause stands at the end, with only SETTINGS behind it.
  const after = format && tokens[tokens.findIndex(({ start }) => start === format?.start) + 2]
  if (format && (after === undefined || isWord(after, 'SETTINGS'))) statement.format = format
  if (dataStart !== undefined) {
    statement.dataStart = dataStart
    statement.sourceStart = tokens.find(isSettingsClause)?.start ?? format?.start ?? statement.sql.length
  }
  return statement
}

/** Tells whether a token is this bare keyword, in any case. */
export function isWord(token: Token | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === keyword
}

function startOfData(text: string, formatEnd: number): number {
  const gap = /[ \t\r]*\n?/y
  gap.lastIndex = formatEnd
  return formatEnd + gap.exec(text)![0].length
}

/** A table may be called settings, too: what follows the clause's word is a name and `=`. */
function isSettingsClause(token: Token, index: number, tokens: Token[]): boolean {
  return isWord(token, 'SETTINGS') && tokens[index + 2]?.text === '='
}

/**
 * Names of the statement's `{name:Type}` placeholders. The engine keeps parameters on the connection, so a missing one
 * could silently get the value of an earlier query; the caller checks.
 */
export function placeholdersOf({ tokens }: Statement): Set<string> {
  const names = tokens.filter((_, i) => tokens[i - 1]?.text === '{' && tokens[i + 1]?.text === ':')
  return new Set(names.filter(token => token.kind === 'word').map(token => token.text))
}
