import { CommandError } from '@slotstream/tracking-plan'

/** Names of columns, by what they hold: those of Open Bandit logs, and those of `decision_rewards` and its export. */
const NAMES = {
  item: ['item_id', 'content_id'],
  reward: ['reward', 'click', 'clicked'],
  propensity: ['propensity_score', 'propensity', 'pscore'],
  position: ['position'],
  decision: ['decision_id'],
  time: ['timestamp'],
  candidates: ['candidates'],
  above: ['above'],
  affinities: ['affinities'],
  known: ['known'],
  draw: ['draw'],
  version: ['policy_version'],
} as const

/** Columns without which nothing can be valued. */
const NEEDED = ['item', 'reward', 'propensity'] as const

/** Columns of `decisions` alone, which has a row for each decision. */
export const DECISION_COLUMNS = ['content_ids', 'propensities']

/** Names of the column with rewards. */
export const REWARD_COLUMNS: readonly string[] = NAMES.reward

type Column = keyof typeof NAMES

/** Places of columns in a log; -1: it has none. */
export type Columns = Record<Column, number>

/**
 * Finds the columns of a log by its header.
 *
 * @throws CommandError where one that is needed is missing
 */
export function findColumns(header: readonly string[], file: string): Columns {
  const names = header.map(name => name.trim())
  const places = Object.entries(NAMES).map(([column, spellings]) => [
    column,
    spellings.map(name => names.indexOf(name)).find(place => place >= 0) ?? -1,
  ])
  const columns = Object.fromEntries(places) as Columns
  const missing = NEEDED.filter(column => columns[column] < 0)
  if (missing.length > 0) {
    if (DECISION_COLUMNS.every(name => names.includes(name)))
      throw new CommandError(
        `${file} is an export of the table decisions, which has no rewards: value the decisions with --slot, or export ` +
          'them by the query of docs/evaluation.md, which joins decision_rewards, or add a column reward',
      )
    const missingNames = missing.map(column => NAMES[column].join(' or ')).join(', ')
    throw new CommandError(
      `${file} has no column ${missingNames}: docs/evaluation.md has the query that exports decisions`,
    )
  }
  return columns
}

/** Returns how many fields have to be read of each record. */
export function wantedFields(columns: Columns): number {
  return Math.max(...Object.values(columns)) + 1
}
