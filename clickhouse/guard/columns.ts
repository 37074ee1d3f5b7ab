import { quoteName, quoteString } from '../sql/quote.js'
import { isName, isSymbol, type Token, tokenizeCanonical } from './canonical/canonical-tokens.js'
import type { Names } from './names/names.js'
import { denied } from './refusal.js'

/** Longest list of columns, in characters, and most columns. */
const MAX_TEXT = 16 * 1024
const MAX_COLUMNS = 500
/** Types whose values are states of functions: their bytes are for the engine alone to write. */
const NO_VALUES = /^(?:simple)?aggregatefunction$/i
/** In a type besides names. */
const PUNCTUATION = /^[(),=.-]$/

/**
 * Reads the columns of an external table, `a UInt8, b Array(String)`: names and types alone.
 *
 * @returns them as a part of a CREATE TABLE
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function columnsFromStructure(structure: string, names: Names): string {
  const columns = itemsOf(structure).map(item => {
    const [name, ...type] = item
    if (!isName(name)) throw refused(structure)
    return `${quoteName(name.text)} ${typeOf(type, structure, names)}`
  })
  return columns.join(', ')
}

/** Reads types alone, `UInt8, Array(String)`: the columns are then called `_1`, `_2` and so on. Throws as above. */
export function columnsFromTypes(types: string, names: Names): string {
  return itemsOf(types)
    .map((item, i) => `_${i + 1} ${typeOf(item, types, names)}`)
    .join(', ')
}

/** Returns the tokens between commas that are outside of brackets. */
function itemsOf(text: string): Token[][] {
  if (text.length > MAX_TEXT) throw denied(`the columns of an external table take ${MAX_TEXT} characters at most`)
  const items: Token[][] = [[]]
  let depth = 0
  for (const token of tokenizeCanonical(text.replace(/\s/g, ' ').trim())) {
    if (isSymbol(token, '(')) depth++
    if (isSymbol(token, ')')) depth--
    // Behind a bracket that closes the list, anything may be said of the table.
    if (depth < 0) throw refused(text)
    if (depth === 0 && isSymbol(token, ',')) items.push([])
    else items.at(-1)!.push(token)
  }
  if (depth !== 0) throw refused(text)
  if (items.length > MAX_COLUMNS) throw denied(`an external table has ${MAX_COLUMNS} columns at most`)
  return items
}

/** Tells whether a token names a type that has no values to be sent, only states. */
export function isState(token: Token): boolean {
  return isName(token) && NO_VALUES.test(token.text)
}

function typeOf(tokens: readonly Token[], structure: string, names: Names): string {
  const isPlain = tokens.every((token, at) => {
    if (token.kind === 'symbol') return PUNCTUATION.test(token.text)
    if (!isName(token)) return true
    if (isState(token)) return false
    // The name of a type comes first, also in brackets, where a Tuple's or a Nested's own names may stand before it.
    const mustBeType = at === 0 || isSymbol(tokens[at + 1], '(') || isName(tokens[at - 1])
    return !mustBeType || (token.kind === 'word' && names.isDataType(token.text))
  })
  if (!isPlain || tokens.length === 0) throw refused(structure)
  return tokens
    .map(token =>
      token.kind === 'string' ? quoteString(token.text) : token.kind === 'quoted' ? quoteName(token.text) : token.text,
    )
    .join(' ')
}

function refused(structure: string): Error {
  const shown = structure.length > 200 ? `${structure.slice(0, 200)} …` : structure
  return denied(`the columns of an external table are names and types, as in a UInt8, b Array(String), not: ${shown}`)
}
