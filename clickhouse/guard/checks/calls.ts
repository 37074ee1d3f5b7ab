import type { Role } from '../../access/roles.js'
import {
  isKeyword,
  isName,
  isSymbol,
  queryStart,
  type Token,
  tokenizeCanonical,
} from '../canonical/canonical-tokens.js'
import { isState } from '../columns.js'
import type { Names } from '../names/names.js'
import { cannotRead, denied } from '../refusal.js'
import { checkNamedInText, refuseStates } from './types.js'

/** In the structure of columns that comes as a text: what gives a column an expression, which the engine runs. */
const STRUCTURE_CLAUSES = 'DEFAULT MATERIALIZED ALIAS EPHEMERAL CODEC TTL STATISTICS SETTINGS COMMENT PRIMARY'.split(
  ' ',
)

/**
 * Checks every function that a statement calls or names, whatever it is: an ordinary or an aggregate one, a table
 * function, a type, an engine.
 *
 * @param reads whether the statement only reads: then `AS t(a, b)` gives columns names, and creates nothing
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkCalls(tokens: readonly Token[], names: Names, role: Role, reads: boolean): void {
  const query = reads ? -1 : queryStart(tokens)
  const definition = query < 0 ? tokens.length : query
  const brackets: Bracket[] = []
  let typeEnd = -1
  tokens.forEach((token, at) => {
    if (at < typeEnd) return
    // `{name:Type}` names types alone.
    if (isSymbol(token, '{') && isName(tokens[at + 1]) && isSymbol(tokens[at + 2], ':')) {
      let closing = at + 1
      while (closing < tokens.length && !isSymbol(tokens[closing], '}')) closing++
      if (closing === tokens.length) throw cannotRead('a bracket that stays open')
      if (role !== 'writer') refuseStates(tokens.slice(at + 3, closing))
      typeEnd = closing + 1
      return
    }
    const next = tokens[at + 1]
    if (token.kind === 'symbol') {
      if ('([{'.includes(token.text)) brackets.push(bracketAt(tokens, at))
      if (')]}'.includes(token.text)) brackets.pop()
      return
    }
    if (!isName(token)) return
    if (isSymbol(next, '(')) {
      const isObject = reads
        ? givesColumnNames(tokens, at)
        : namesObject(tokens, at, brackets.length === 0 && at < definition)
      if (!isObject) checkCall(tokens, at, names, role)
      return
    }
    const applied =
      isKeyword(tokens[at - 1], 'APPLY') || (isSymbol(tokens[at - 1], '(') && isKeyword(tokens[at - 2], 'APPLY'))
    if (applied && !isLambda(tokens, at + 1)) {
      if (!names.mayCall(token.text, role)) throw refusedCall(token.text, names)
      if (names.needsList(token.text, role)) throw needsList(token.text)
      checkNamedInText(token.text, [], names, role)
      return
    }
    const qualified = isSymbol(tokens[at - 1], '.')
    const argument = isArgument(brackets) && (next === undefined || isKeyword(next, 'AS') || /^[,)]$/.test(next.text))
    if (argument && !qualified && names.isRefusedReference(token.text, role)) {
      throw denied(
        `${token.text} names a function that isn't allowed here (a column of that name: write table.${token.text})`,
      )
    }
  })
}

function checkCall(tokens: readonly Token[], at: number, names: Names, role: Role): void {
  const name = tokens[at]!.text
  if (!names.mayCall(name, role) && !isDefinedInStatement(tokens, at, names)) throw refusedCall(name, names)
  const args = argumentsOf(tokens, at + 1)
  if (names.needsList(name, role) && !args.some(isList)) throw needsList(name)
  checkNamedInText(name, args, names, role)
  const [first, second] = [tokens[at + 2], tokens[at + 3]]
  switch (name.toLowerCase()) {
    case 'format':
      // As a table function it runs what is in a text of the format Values; its first argument is then a name.
      if (first?.kind !== 'string' || /^\w*$/.test(first.text))
        throw denied("format() takes a pattern with {} in quotes first: tables from text aren't read here")
      break
    case 'values':
    case 'null':
    case 'generaterandom':
    case 'sqlstandardvalues':
      if (first?.kind === 'string') checkStructure(first.text, name, names)
      if (!isLiteralStart(first) || (first?.kind === 'string' && !/^[,)]$/.test(second?.text ?? '')))
        throw denied(`${name}() takes its structure as a text in quotes, or rows`)
      break
    default:
  }
}

/** `'a UInt8, b Array(String)'`: names and types alone. */
function checkStructure(structure: string, functionName: string, names: Names): void {
  const tokens = tokenizeCanonical(structure.replace(/\s/g, ' '))
  const isPlain = tokens.every(
    (token, at) =>
      !isKeyword(token, ...STRUCTURE_CLAUSES) &&
      !isState(token) &&
      !(isName(token) && isSymbol(tokens[at + 1], '(') && !names.isDataType(token.text)),
  )
  if (!isPlain) throw denied(`the structure that ${functionName}() gets may only have names and types: ${structure}`)
}

/**
 * Tells whether a token begins a literal: a text, a number, NULL, a tuple or a list, a minus, or no argument at all.
 */
function isLiteralStart(token: Token | undefined): boolean {
  if (token?.kind === 'string' || token?.kind === 'number') return true
  return isKeyword(token, 'NULL', 'TRUE', 'FALSE') || (token?.kind === 'symbol' && '([-)'.includes(token.text))
}

/**
 * Tells whether a function is defined in the statement: a lambda with a name, as `WITH x -> x + 1 AS f`, or a view with
 * parameters: `v(day = 1)`.
 */
function isDefinedInStatement(tokens: readonly Token[], at: number, names: Names): boolean {
  const name = tokens[at]!.text
  if (names.isFunction(name)) return false
  const isSource = isKeyword(tokens[at - 1], 'FROM', 'JOIN', 'TABLE') || isSymbol(tokens[at - 1], ',')
  const isView = isSource && isName(tokens[at + 2]) && isSymbol(tokens[at + 3], '=')
  return isView || tokens.some((token, i) => isName(token) && token.text === name && isKeyword(tokens[i - 1], 'AS'))
}

/** `FROM … AS t(a, b)` and `WITH t(a, b) AS (…)`: nothing but names in the brackets. */
function givesColumnNames(tokens: readonly Token[], at: number): boolean {
  let end = at + 2
  while (isName(tokens[end]) && isSymbol(tokens[end + 1], ',')) end += 2
  if (!isName(tokens[end]) || !isSymbol(tokens[end + 1], ')')) return false
  if (isKeyword(tokens[at - 1], 'AS')) return true
  const begins = isKeyword(tokens[at - 1], 'WITH', 'RECURSIVE') || isSymbol(tokens[at - 1], ',')
  return begins && isKeyword(tokens[end + 2], 'AS') && isSymbol(tokens[end + 3], '(')
}

/**
 * `CREATE TABLE t (…)`, `INSERT INTO t (…)`, `INDEX i (…)`, `PROJECTION p (SELECT …)`: a name, and what it has.
 *
 * @param defines whether the place is outside of brackets and of the statement's query
 */
function namesObject(tokens: readonly Token[], at: number, defines: boolean): boolean {
  const before = isSymbol(tokens[at - 1], '.') ? at - 3 : at - 1
  if (defines) return isKeyword(tokens[before], 'TABLE', 'VIEW', 'INTO', 'TO', 'EXISTS')
  if (isKeyword(tokens[before], 'INDEX')) return true
  const isProjection = tokens.slice(Math.max(at - 5, 0), at).some(token => isKeyword(token, 'PROJECTION'))
  return isProjection && isKeyword(tokens[at + 2], 'SELECT', 'WITH')
}

/** Contents of a bracket: a query, arguments (`quantile(0.5)(x)` has two such brackets), or anything else. */
type Bracket = 'query' | 'arguments' | 'group'

function bracketAt(tokens: readonly Token[], at: number): Bracket {
  if (isKeyword(tokens[at + 1], 'SELECT', 'WITH')) return 'query'
  const isCall = isSymbol(tokens[at], '(') && (isName(tokens[at - 1]) || isSymbol(tokens[at - 1], ')'))
  return isCall ? 'arguments' : 'group'
}

/**
 * Tells whether a place is among the arguments of a function, `f((x))` included; a query in between has columns of its
 * own.
 */
function isArgument(brackets: readonly Bracket[]): boolean {
  return brackets.slice(brackets.lastIndexOf('query') + 1).includes('arguments')
}

function isLambda(tokens: readonly Token[], at: number): boolean {
  return isSymbol(tokens[at], '-') && isSymbol(tokens[at + 1], '>')
}

/** Tells whether an argument is a list of literals, `['a', 'b']`, or a parameter, and nothing else. */
function isList(argument: readonly Token[]): boolean {
  const [first, last] = [argument[0], argument.at(-1)]
  if (isSymbol(first, '{') && argument.findIndex(token => isSymbol(token, '}')) === argument.length - 1) return true
  if (!isSymbol(first, '[') || !isSymbol(last, ']')) return false
  return argument.slice(1, -1).every(token => isLiteral(token) || isSymbol(token, ','))
}

function isLiteral(token: Token): boolean {
  return token.kind === 'string' || token.kind === 'number' || isSymbol(token, '-') || isKeyword(token, 'NULL')
}

/** Returns the tokens of each argument in a bracket. */
function argumentsOf(tokens: readonly Token[], opening: number): Token[][] {
  const args: Token[][] = []
  for (let at = opening; isSymbol(tokens[at], '(') || isSymbol(tokens[at], ','); ) {
    const start = at + 1
    at = argumentEnd(tokens, start)
    args.push(tokens.slice(start, at))
  }
  return args
}

/** Returns the place of the comma or bracket behind an argument. */
function argumentEnd(tokens: readonly Token[], start: number): number {
  let depth = 0
  for (let at = start; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (kind !== 'symbol') continue
    if (depth === 0 && (text === ',' || text === ')')) return at
    if ('([{'.includes(text)) depth++
    if (')]}'.includes(text)) depth--
  }
  return tokens.length
}

function needsList(name: string): Error {
  return denied(
    `${name}() compares each element with each, whatever the time limit: give it a list in the open, as in ` +
      `${name}(segments, ['a', 'b']), or use arrayIntersect()`,
  )
}

function refusedCall(name: string, names: Names): Error {
  if (names.isDeep(name)) return denied(`${name}() isn't among the functions for this user: deep input ends the engine`)
  if (names.isSlow(name)) {
    return denied(`${name}() isn't among the functions for this user: it goes on whatever the time limit says`)
  }
  if (names.isFunction(name)) {
    return denied(`${name}() isn't among the functions for this user: it leaves the database, or wasn't reviewed yet`)
  }
  return denied(`${name}() isn't a function of this engine that was reviewed: see system.functions for those there are`)
}
