import type { AnalystLimits } from '../../access/settings/limits.js'
import { isKeyword, isSymbol, type Token } from '../canonical/canonical-tokens.js'
import { createdBy } from '../checks/targets.js'
import { cannotRead } from '../refusal.js'

/** Limits of a query that a refreshed view's have, too. */
const LIMITS = ['max_execution_time', 'max_memory_usage', 'max_temporary_data_on_disk_size_for_query'] as const
/** Part of the disk that a refresh leaves free, as everything that builders insert. */
const FREE_DISK = 'min_free_disk_ratio_to_perform_insert = 0.1'

/**
 * Gives the query of a view that is refreshed the limits of its builder: the engine runs it by its own clock, without
 * any. A changed query (`MODIFY QUERY`) gets them as well, since it may be such a view's.
 *
 * @returns the statement, changed where it makes or changes a view that may be refreshed
 * @throws ClickHouseException ACCESS_DENIED (497) where the query isn't found
 */
export function withRefreshLimits(sql: string, tokens: readonly Token[], limits: AnalystLimits): string {
  const place = isKeyword(tokens[0], 'ALTER') ? changedQuery(tokens) : refreshedQuery(tokens)
  if (!place) return sql
  const [start, end] = [tokens[place.first]!.start, tokens[place.last]!.end]
  const settings = [...LIMITS.map(name => `${name} = ${limits[name]}`), FREE_DISK].join(', ')
  return `${sql.slice(0, start)}SELECT * FROM (${sql.slice(start, end)}) SETTINGS ${settings}${sql.slice(end)}`
}

/** First and last token of a query. */
interface Place {
  first: number
  last: number
}

/** `CREATE MATERIALIZED VIEW name REFRESH EVERY … AS query FORMAT …`. */
function refreshedQuery(tokens: readonly Token[]): Place | undefined {
  if (!isKeyword(tokens[0], 'CREATE') || !tokens.slice(0, 5).some(token => isKeyword(token, 'MATERIALIZED')))
    return undefined
  const { end } = createdBy(tokens)
  if (!isKeyword(tokens[end], 'REFRESH') || !isKeyword(tokens[end + 1], 'EVERY', 'AFTER')) return undefined
  const depths = depthsOf(tokens)
  const first =
    1 +
    tokens.findIndex((token, at) => {
      const next = tokens[at + 1]
      return (
        at > end &&
        depths[at] === 0 &&
        isKeyword(token, 'AS') &&
        (isKeyword(next, 'SELECT', 'WITH') || isSymbol(next, '('))
      )
    })
  if (first === 0) throw cannotRead('a view that is refreshed, and no query')
  return { first, last: tokens.length - (isKeyword(tokens.at(-2), 'FORMAT') ? 3 : 1) }
}

/** `ALTER TABLE name (MODIFY QUERY query), …`. */
function changedQuery(tokens: readonly Token[]): Place | undefined {
  const at = tokens.findIndex((token, i) => isKeyword(token, 'MODIFY') && isKeyword(tokens[i + 1], 'QUERY'))
  if (at < 0) return undefined
  const depths = depthsOf(tokens)
  const end = tokens.findIndex((token, i) => i > at && isSymbol(token, ')') && depths[i] === 0)
  const another = tokens.findIndex(
    (token, i) => i > at && isKeyword(token, 'MODIFY') && isKeyword(tokens[i + 1], 'QUERY'),
  )
  if (end < 0 || another > 0 || !isSymbol(tokens[at - 1], '(')) throw cannotRead('a change of a query')
  return { first: at + 2, last: end - 1 }
}

/** Counts the brackets that are open behind each token. */
function depthsOf(tokens: readonly Token[]): number[] {
  let depth = 0
  return tokens.map(token => {
    if (isSymbol(token, '(')) depth++
    if (isSymbol(token, ')')) depth--
    return depth
  })
}
