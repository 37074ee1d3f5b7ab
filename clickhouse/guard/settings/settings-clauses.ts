import type { Role } from '../../access/roles.js'
import { isKeyword, isName, isSymbol, type Token } from '../canonical/canonical-tokens.js'
import { cannotRead, readOnly } from '../refusal.js'

/** A SETTINGS clause of a statement, and its place. */
export interface SettingsClause {
  settings: [name: string, value: string][]
  /** First token of the clause, and the one behind it. */
  start: number
  end: number
}

/**
 * Settings for no user: their values are SQL, or name files that describe formats, or make the engine
 * read the statement as another language than it was checked in.
 */
const NEVER = new RegExp(
  `^(?:additional_(?:result_filter|table_filters)|parallel_replicas_custom_key\\w*|schema_inference_hints
  |dialect|polyglot_dialect|implicit_(?:select|table_at_top_level)|allow_experimental_(?:\\w+_dialect|eval_table_function)
  |allow_fuzz_query_functions|format_schema\\w*|format_template_\\w+|format_avro_schema_registry_url
  |input_format_values_\\w*template\\w*|param_\\w+)$`.replace(/\s+/g, ''),
)

/** Tells whether a value of those changes nothing: clients send defaults as a matter of course. */
function isDefault(name: string, value: string): boolean {
  if (name === 'dialect') return value === 'clickhouse'
  return value === '' || value === '{}' || (/^(?:allow_|implicit_select)/.test(name) && /^(?:0|false)$/i.test(value))
}

/** Filters by stream position alone, with which the writer rebuilds tables portion by portion. */
const BY_POSITION = /^\{'slotstream\.\w+': 'stream_seq > \d+ AND stream_seq <= \d+'\}$/

/**
 * Refuses settings that reach around every check.
 *
 * @throws ClickHouseException READONLY (164)
 */
export function checkSettings(settings: Iterable<readonly [name: string, value: string]>, role: Role): void {
  for (const [name, value] of settings) {
    if (role === 'writer' && name === 'additional_table_filters' && BY_POSITION.test(value)) continue
    if (NEVER.test(name) && !isDefault(name, value))
      throw readOnly(`The setting ${name} can't be changed here: its value would be run or read unchecked`)
  }
}

/**
 * Finds the SETTINGS clauses of a statement, at any depth.
 *
 * @throws ClickHouseException ACCESS_DENIED (497) for values other than a number, a word or a text
 */
export function settingsClausesOf(tokens: readonly Token[]): SettingsClause[] {
  const clauses: SettingsClause[] = []
  for (let start = 0; start < tokens.length; start++) {
    const isClause =
      isKeyword(tokens[start], 'SETTINGS', 'SETTING') &&
      isName(tokens[start + 1]) &&
      isSymbol(tokens[start + 2], '=') &&
      !isKeyword(tokens[start - 1], 'AS') &&
      !isSymbol(tokens[start - 1], '.')
    if (!isClause) continue
    const settings: SettingsClause['settings'] = []
    let at = start
    do {
      const value = valueAt(tokens, at + 3)
      settings.push([tokens[at + 1]!.text, value.text])
      at = value.end
    } while (isSymbol(tokens[at], ',') && isName(tokens[at + 1]) && isSymbol(tokens[at + 2], '='))
    clauses.push({ settings, start, end: at })
    start = at - 1
  }
  return clauses
}

/** Returns the statement without some of its clauses. */
export function withoutClauses(sql: string, tokens: readonly Token[], clauses: readonly SettingsClause[]): string {
  let rest = ''
  let at = 0
  for (const { start, end } of clauses) {
    rest += sql.slice(at, tokens[start]!.start).trimEnd()
    at = tokens[end - 1]!.end
  }
  return rest + sql.slice(at)
}

function valueAt(tokens: readonly Token[], at: number): { text: string; end: number } {
  const token = tokens[at]
  if (isSymbol(token, '-') && tokens[at + 1]?.kind === 'number')
    return { text: `-${tokens[at + 1]!.text}`, end: at + 2 }
  if (token?.kind === 'string' || token?.kind === 'number' || token?.kind === 'word')
    return { text: token.text, end: at + 1 }
  throw cannotRead('a setting whose value is no number, word or text')
}
