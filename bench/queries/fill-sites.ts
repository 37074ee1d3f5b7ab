import type { Pieces } from '../pipeline/pieces.js'
import { beginning, filledSites, fillStatements } from './fill.js'

/** Tables that are filled with `events`, and `decisions`. */
const OTHERS = [
  ...['decisions', 'identifications', 'money_events', 'page_reports', 'session_states', 'sessionless_events'],
  'slot_responses',
]

/** Merges would take longer than the inserts. */
const WITHOUT_MERGES = 'max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1'

/**
 * Fills the sites of the bench. Afterwards each table is one part in each partition, as it is after a while; `events`
 * too where `merged`, else it has parts of a million events, each of a time of its own.
 */
export async function fillSites({ clickhouse }: Pieces, rows: number, merged: boolean): Promise<void> {
  const run = (query: string) => clickhouse.command({ query })
  const begun = beginning(Date.now())
  for (const table of ['events', ...OTHERS])
    await run(`ALTER TABLE slotstream.${table} MODIFY SETTING ${WITHOUT_MERGES}`)
  for (const site of filledSites(rows)) for (const statement of fillStatements(site, begun)) await run(statement)
  for (const table of [...(merged ? ['events'] : []), ...OTHERS]) await run(`OPTIMIZE TABLE slotstream.${table} FINAL`)
}
