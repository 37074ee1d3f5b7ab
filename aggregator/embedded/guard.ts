import { ClickHouseException } from './errors.js'
import { isWord, type Statement } from './statement.js'
import type { Token } from './tokens.js'

/**
 * Functions that reach files, other servers or shells. `readonly = 1` makes the engine refuse most of them as table
 * functions in FROM, but not in DESCRIBE, and not `file()` as an ordinary function. The list is every such name of
 * engine 26.7's system.table_functions and system.functions, lower case; an entry that ends in `*` is a prefix.
 */
const OUTWARD = `aiclassify aiembed aiextract aigenerate aitranslate arrowstream azureblobstorage* catboostevaluate
  cluster clusterallreplicas cosn deltalake* dictionary eval executable file filecluster filesystem fuzzjson fuzzquery
  gcs hdfs* hudi* iceberg* input jdbc loop mongodb mysql odbc oss paimon* postgresql prometheusquery
  prometheusqueryrange python redis remote remotesecure s3 s3cluster sqlite url urlcluster viewexplain ytsaurus`.split(
  /\s+/,
)
const OUTWARD_NAMES = new Set(OUTWARD.filter(name => !name.endsWith('*')))
const OUTWARD_PREFIXES = OUTWARD.filter(name => name.endsWith('*')).map(name => name.slice(0, -1))

/** Those that also work by reference, without a bracket: `arrayMap(file, …)`, `* APPLY file`. */
const OUTWARD_VALUES = /^(?:file|ai(?:classify|embed|extract|generate|translate)|catboostevaluate)$/

/**
 * The engine's database `default` also holds every file it can reach, as a table named by its path. `readonly = 1`
 * refuses them, except that EXISTS answers, and that a file which the trusted user once read that way stays open to all.
 */
const PATH = /^(?:[/~.]|\w+:\/\/)|\.\.\//

/** Where a string in single quotes is a table's name. */
const BEFORE_TABLE = /^(?:FROM|JOIN|EXISTS|TABLE|VIEW|DICTIONARY|DESCRIBE|DESC|CREATE|\.)$/i

/**
 * Refuses what an analyst must not run and the engine's `readonly = 1` lets through. The engine stays the first line
 * of defence (writes, settings, most table functions); this closes what was found to pass it.
 *
 * @param parameters values of the query's `{name:Type}` placeholders: `{f:Identifier}` can name a function
 * @throws ClickHouseException READONLY (164) or ACCESS_DENIED (497)
 */
export function guardAnalyst(statement: Statement, parameters: Iterable<readonly [name: string, value: string]>): void {
  if (statement.kind !== 'rows' && statement.kind !== 'describe') {
    throw new ClickHouseException(
      164,
      'READONLY',
      `${statement.verb} is refused: without a password this server only reads (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN, EXISTS)`,
    )
  }
  const { tokens } = statement
  tokens.forEach((token, index) => {
    const next = tokens[index + 1]
    if (isWord(token, 'INTO') && isWord(next, 'OUTFILE')) throw denied('INTO OUTFILE writes files')
    const names = token.kind === 'quoted' || BEFORE_TABLE.test(tokens[index - 1]?.text ?? '')
    if (names && PATH.test(token.kind === 'string' ? statement.sql.slice(token.start + 1) : token.text)) {
      throw denied('a path names a file')
    }
    if (token.kind !== 'word' && token.kind !== 'quoted') return
    const name = token.text.toLowerCase()
    if (next?.text === '(' && next.kind === 'symbol' && isOutward(name))
      throw denied(`${token.text}() leaves the database`)
    if (OUTWARD_VALUES.test(name) && !isQualified(tokens, index)) {
      throw denied(
        `${token.text} names a function that leaves the database (a column of that name: write table.${name})`,
      )
    }
  })
  for (const [name, value] of parameters) {
    if (!isIdentifierPlaceholder(tokens, name)) continue
    if (isOutward(value.toLowerCase().replace(/[^\w*]/g, '')) || PATH.test(value.replace(/^[`"\s]+/, ''))) {
      throw denied(`parameter ${name} names a function or file outside the database`)
    }
  }
}

function isOutward(name: string): boolean {
  return OUTWARD_NAMES.has(name) || OUTWARD_PREFIXES.some(prefix => name.startsWith(prefix))
}

/** `t.file`, with nothing in between: `1. file` is a number and a name to the engine. */
function isQualified(tokens: Token[], index: number): boolean {
  const dot = tokens[index - 1]
  const owner = tokens[index - 2]
  return dot?.text === '.' && dot.end === tokens[index]!.start && owner?.end === dot.start && !/^\d/.test(owner.text)
}

function isIdentifierPlaceholder(tokens: Token[], name: string): boolean {
  return tokens.some(
    (token, i) =>
      token.text === '{' &&
      tokens[i + 1]?.text === name &&
      tokens[i + 2]?.text === ':' &&
      isWord(tokens[i + 3], 'IDENTIFIER'),
  )
}

function denied(what: string): ClickHouseException {
  return new ClickHouseException(
    497,
    'ACCESS_DENIED',
    `Not enough privileges: ${what}, which needs the user with a password`,
  )
}
